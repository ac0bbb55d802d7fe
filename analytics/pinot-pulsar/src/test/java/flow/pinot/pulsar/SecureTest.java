// A broker that asks for tokens, speaks TLS and numbers messages.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.pinot.spi.stream.TransientConsumerException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("secure")
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SecureTest {
  private static final String BEGINNING = "-1:-1:-1";
  private static final String TLS_SERVICE = Broker.property("pulsar.service.tls");
  private static final Path FILES = Path.of(Broker.property("pulsar.files"));
  private static final PulsarReading COUNTERS = PulsarReading.COUNTERS;

  private String namespace;
  private String partition;
  private Table table;

  @BeforeEach
  void makeATopic() {
    namespace = Broker.namespace();
    Broker.admin("POST", "/namespaces/" + namespace + "/permissions/reader", "[\"consume\"]");
    var topic = Broker.topic(namespace, 1);
    partition = topic + "-partition-0";
    table = new Table(topic);
    giveUpAfter("20000");
  }

  private void giveUpAfter(String ms) {
    table.set("client.operationTimeoutMs", ms).set("client.lookupTimeoutMs", ms);
  }

  private static String file(String name) {
    return FILES.resolve(name).toString();
  }

  private String reasonOfRefusal() {
    return assertThrows(TransientConsumerException.class, () -> count(60_000)).toString();
  }

  private int count(int ms) {
    return table.metadata(0).fetchPartitionCount(ms);
  }

  private void expectOneRow() throws Exception {
    Broker.send(partition, 0, 1);
    assertEquals(1, count(60_000));
    try (var segment = table.segment(0, BEGINNING)) {
      assertEquals(List.of("0"), segment.read(1).values());
    }
  }

  @Test
  void aTokenLogsIn() throws Exception {
    table.set("token", Files.readString(FILES.resolve("reader.token")));

    expectOneRow();
  }

  @Test
  void aTokenIsReadFromAFile() throws Exception {
    table.set("token", "file://" + file("reader.token"));

    expectOneRow();
  }

  @Test
  void aTokenWithoutPermissionIsRefused() {
    table.set("token", "file://" + file("stranger.token"));

    var words = reasonOfRefusal();

    assertTrue(words.contains("Authorization"), words);
  }

  @Test
  void aForgedTokenIsRefusedAndRowsLookAway() throws Exception {
    table.set("token", "file://" + file("forged.token"));
    var words = reasonOfRefusal();
    assertTrue(words.contains("Authentication"), words);

    long failures = COUNTERS.getFailures();
    Broker.send(partition, 0, 1);
    try (var segment = table.segment(0, BEGINNING)) {
      Broker.until("it is refused", () -> {
        assertEquals(0, segment.fetch(500).getUnfilteredMessageCount());
        return COUNTERS.getFailures() > failures;
      });
    }
  }

  @Test
  void rowsComeOverTls() throws Exception {
    table.set("service.url", TLS_SERVICE).set("client.tlsTrustCertsFilePath", file("ca.pem"))
        .set("client.tlsHostnameVerificationEnable", "true").set("token", "file://" + file("reader.token"));

    expectOneRow();
  }

  @Test
  void aBrokerOfAnotherAuthorityIsNotTrusted() {
    table.set("service.url", TLS_SERVICE).set("token", "file://" + file("reader.token"));
    table.set("client.tlsTrustCertsFilePath", file("ca.pem"));
    assertEquals(1, count(60_000));

    table.set("client.tlsTrustCertsFilePath", file("other-ca.pem"));
    giveUpAfter("3000"); // Until then the client tries again.

    assertThrows(TransientConsumerException.class, () -> count(60_000)); // "Connection already closed".
  }

  @Test
  void lostRowsAreCountedWhereMessagesAreNumbered() throws Exception {
    table.set("token", "file://" + file("reader.token"));
    Broker.send(partition, 0, 10);
    Broker.sendBatches(partition, 10, 20, 10);
    List<Table.Row> rows;
    try (var all = table.segment(0, BEGINNING).read(20)) {
      rows = all.rows;
    }
    assertTrue(rows.get(4).after.toString().endsWith(":-1@4"), rows.get(4).after.toString());
    assertTrue(rows.get(19).after.toString().endsWith(":9/10@19"), rows.get(19).after.toString());
    Broker.unload(partition);
    Broker.send(partition, 20, 30);
    Broker.setRetention(namespace, 0, 0);
    Broker.trimUntilGone(partition, PulsarPosition.parse(rows.get(0).after.toString()).ledger());
    long losses = COUNTERS.getLosses();
    long lostRows = COUNTERS.getLostRows();
    long possibleLosses = COUNTERS.getPossibleLosses();

    try (var behind = table.segment(0, rows.get(4).after.toString()).read(10)) {
      assertEquals("20", behind.rows.get(0).value);
      assertTrue(behind.hasDataLoss);
      assertEquals(losses + 1, COUNTERS.getLosses());
      assertEquals(lostRows + 15, COUNTERS.getLostRows());
    }
    try (var atTheEnd = table.segment(0, rows.get(19).after.toString()).read(10)) {
      assertEquals("20", atTheEnd.rows.get(0).value);
      assertFalse(atTheEnd.hasDataLoss);
      Thread.sleep(1000);
      assertEquals(losses + 1, COUNTERS.getLosses());
      assertEquals(possibleLosses, COUNTERS.getPossibleLosses());
    }
  }
}
