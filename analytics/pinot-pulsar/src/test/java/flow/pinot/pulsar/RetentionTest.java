// Rows that retention deletes before Pinot has read them, on a broker that does not number messages.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("pulsar")
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RetentionTest {
  private static final String BEGINNING = "-1:-1:-1";
  private static final PulsarReading COUNTERS = PulsarReading.COUNTERS;

  private String namespace;
  private String partition;
  private Table table;
  private long losses;
  private long possibleLosses;

  @BeforeEach
  void makeATopic() {
    namespace = Broker.namespace();
    var topic = Broker.topic(namespace, 1);
    partition = topic + "-partition-0";
    table = new Table(topic);
    losses = COUNTERS.getLosses();
    possibleLosses = COUNTERS.getPossibleLosses();
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.toList());
  }

  private List<Table.Row> rows(int count) {
    try (var segment = table.segment(0, BEGINNING).read(count)) {
      return segment.rows;
    }
  }

  private static long ledgerOf(Table.Row row) {
    return PulsarPosition.parse(row.after.toString()).ledger();
  }

  private void expect(int newLosses, int newPossibleLosses) {
    assertEquals(losses + newLosses, COUNTERS.getLosses());
    assertEquals(possibleLosses + newPossibleLosses, COUNTERS.getPossibleLosses());
  }

  @Test
  void aDeletedRestOfABatchIsALoss() throws Exception {
    Broker.sendBatches(partition, 0, 20, 10);
    var rows = rows(20);
    Broker.unload(partition);
    Broker.sendBatches(partition, 20, 40, 10);
    Broker.setRetention(namespace, 0, 0);
    Broker.trimUntilGone(partition, ledgerOf(rows.get(0)));

    var wanted = rows.get(14).after.toString();
    try (var segment = table.segment(0, wanted).read(20)) {
      assertEquals(numbers(20, 40), segment.values());
      assertTrue(segment.hasDataLoss);
      expect(1, 0);
      assertTrue(COUNTERS.getLastLoss().contains(partition.replace("-partition-0", " partition 0"))
          && COUNTERS.getLastLoss().contains("wanted after " + wanted + ", found "), COUNTERS.getLastLoss());
    }
  }

  @Test
  void aDeletedLedgerWhoseEndIsNotKnownIsAPossibleLoss() throws Exception {
    Broker.send(partition, 0, 10);
    var rows = rows(10);
    Broker.unload(partition);
    Broker.send(partition, 10, 20);
    Broker.setRetention(namespace, 0, 0);
    Broker.trimUntilGone(partition, ledgerOf(rows.get(0)));

    try (var segment = table.segment(0, rows.get(4).after).read(10)) {
      assertEquals(numbers(10, 20), segment.values());
      Broker.until("it is counted", () -> COUNTERS.getPossibleLosses() > possibleLosses);
      assertFalse(segment.hasDataLoss);
      expect(0, 1);
    }
  }

  @Test
  void aNewLedgerIsNoLoss() throws Exception {
    Broker.sendBatches(partition, 0, 15, 10);
    var rows = rows(15);
    try (var running = table.segment(0, BEGINNING).read(15)) {
      Broker.unload(partition);
      Broker.send(partition, 15, 20);
      Broker.unload(partition);
      Broker.sendBatches(partition, 20, 40, 10);

      assertEquals(numbers(0, 40), running.read(40).values());
    }
    for (int at : new int[] {3, 9, 14}) { // Inside, and at the last row of the first ledger.
      try (var started = table.segment(0, rows.get(at).after).read(39 - at)) {
        assertEquals(numbers(at + 1, 40), started.values());
        assertFalse(started.hasDataLoss);
      }
    }
    Thread.sleep(2000); // The question whether a ledger is there is asked in the background.
    expect(0, 0);
  }

  @Test
  void rowsDeletedUnderASlowReaderAreNoticed() throws Exception {
    Broker.send(partition, 0, 50);
    table.set("fetch.max.messages", "5").set("reader.receiverQueueSize", "5");
    try (var segment = table.segment(0, BEGINNING)) {
      segment.fetch(30_000);
      assertEquals("0", segment.rows.get(0).value);
      long ledger = ledgerOf(segment.rows.get(0));
      Broker.unload(partition);
      Broker.send(partition, 50, 60);
      Broker.setRetention(namespace, 0, 0);
      Broker.trimUntilGone(partition, ledger);

      while (!segment.values().contains("59")) {
        assertTrue(segment.fetch(30_000).getUnfilteredMessageCount() > 0);
      }

      assertTrue(segment.rows.size() < 60, segment.rows.size() + " rows");
      Broker.until("it is counted", () -> COUNTERS.getPossibleLosses() > possibleLosses);
      expect(0, 1);
    }
  }

  @Test
  void theBeginningIsWhateverIsThere() throws Exception {
    Broker.send(partition, 0, 10);
    var rows = rows(10);
    Broker.unload(partition);
    Broker.send(partition, 10, 20);
    Broker.setRetention(namespace, 0, 0);
    Broker.trimUntilGone(partition, ledgerOf(rows.get(0)));

    try (var segment = table.segment(0, BEGINNING).read(10)) {
      assertEquals(numbers(10, 20), segment.values());
      Thread.sleep(1000);
      expect(0, 0);
    }
  }

  @Test
  void anOffsetBeyondTheEndIsSaid() throws Exception {
    Broker.send(partition, 0, 10);
    long seen = COUNTERS.getOffsetsBeyondEnd();

    try (var segment = table.segment(0, "999999999:5:-1")) {
      assertEquals(0, segment.fetch(2000).getMessageCount());
      Broker.until("it is counted", () -> COUNTERS.getOffsetsBeyondEnd() > seen);
    }
  }
}
