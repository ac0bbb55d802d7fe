// Rows and offsets of a real topic.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pinot.spi.stream.TransientConsumerException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("pulsar")
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReadingTest {
  private static final String BEGINNING = "-1:-1:-1";

  private static String newTopic() {
    return Broker.topic("public/default", 1);
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.toList());
  }

  private static void send(String topic, int from, int to, int batch) throws Exception {
    if (batch > 1) {
      Broker.sendBatches(topic, from, to, batch);
    } else {
      Broker.send(topic, from, to);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 1000})
  void everyRowComesOnceAndInOrder(int batch) throws Exception {
    var topic = newTopic();
    send(topic, 0, 5000, batch);

    try (var segment = new Table(topic).segment(0, BEGINNING).read(5000).readAll(300)) {
      assertEquals(numbers(0, 5000), segment.values());
      for (int i = 1; i < 5000; i++) {
        assertTrue(segment.rows.get(i - 1).after.compareTo(segment.rows.get(i).after) < 0);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10, 100})
  void theNextSegmentBeginsAfterAnyRow(int batch) throws Exception {
    var topic = newTopic();
    send(topic, 0, 300, batch);
    var table = new Table(topic);
    List<Table.Row> rows;
    try (var segment = table.segment(0, BEGINNING).read(300)) {
      rows = segment.rows;
    }

    for (int at : new int[] {0, 1, 8, 9, 10, 98, 99, 100, 255, 298}) {
      var text = rows.get(at).after.toString(); // As it went through a segment's metadata.
      try (var next = table.segment(0, text).read(299 - at).readAll(200)) {
        assertEquals(numbers(at + 1, 300), next.values(), "after " + text);
      }
    }
  }

  @Test
  void aBatchOfWhichOnlyAPartWasTakenIsReadAgain() throws Exception {
    var topic = newTopic();
    Broker.sendBatches(topic, 0, 500, 50);
    var random = new Random(7);

    try (var segment = new Table(topic).segment(0, BEGINNING).read(500)) {
      for (int i = 0; i < 20; i++) {
        int at = random.nextInt(499);
        var batch = segment.fetchFrom(segment.rows.get(at).after, 30_000);
        assertEquals("" + (at + 1), Table.Segment.row(batch, 0).value);
      }
    }
  }

  @Test
  void anEmptyTopicHasNoRowsUntilItHas() throws Exception {
    var topic = newTopic();
    var table = new Table(topic);
    assertEquals(BEGINNING, table.offset(0, "smallest").toString());
    assertEquals(BEGINNING, table.offset(0, "largest").toString());

    try (var segment = table.segment(0, BEGINNING)) {
      long begun = System.nanoTime();
      assertEquals(0, segment.fetch(700).getUnfilteredMessageCount());
      long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
      assertTrue(ms >= 650 && ms < 30_000, ms + " ms");
      assertEquals(BEGINNING, segment.at.toString());

      Broker.send(topic, 0, 3);
      assertEquals(numbers(0, 3), segment.read(3).values());
    }
  }

  @Test
  void aFetchEndsAsSoonAsThereIsARow() throws Exception {
    var topic = newTopic();
    try (var segment = new Table(topic).segment(0, BEGINNING);
        var producer = Broker.producer(topic).create()) {
      segment.fetch(1000); // Connects.
      CompletableFuture.runAsync(() -> producer.sendAsync(new byte[] {'x'}),
          CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS));

      long begun = System.nanoTime();
      var batch = segment.fetch(60_000);

      long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
      assertEquals(1, batch.getMessageCount());
      assertTrue(ms < 30_000, ms + " ms");
    }
  }

  @Test
  void largestSkipsWhatIsThere() throws Exception {
    var topic = newTopic();
    Broker.sendBatches(topic, 0, 25, 10); // The last entry is half a batch.
    var table = new Table(topic);
    var end = table.offset(0, "largest");
    Broker.sendBatches(topic, 25, 40, 10);

    try (var segment = table.segment(0, end).read(15).readAll(300)) {
      assertEquals(numbers(25, 40), segment.values());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10})
  void aTimeBeginsAtTheFirstRowPublishedSince(int batch) throws Exception {
    var topic = newTopic();
    send(topic, 0, 95, batch);
    Thread.sleep(100);
    var since = Instant.now();
    Thread.sleep(100);
    send(topic, 95, 200, batch);
    var table = new Table(topic);

    try (var segment = table.segment(0, table.offset(0, since.toString())).read(105).readAll(300)) {
      assertEquals(numbers(95, 200), segment.values());
    }
    try (var all = table.segment(0, table.offset(0, "1h")).read(200).readAll(300)) {
      assertEquals(numbers(0, 200), all.values());
    }
    var later = table.offset(0, Instant.now().plusSeconds(3600).toString());
    assertEquals(table.offset(0, "largest"), later);
  }

  @Test
  void aWrongStartIsNamed() {
    var table = new Table(newTopic());

    var error = assertThrows(IllegalArgumentException.class, () -> table.offset(0, "yesterday"));

    assertTrue(error.getMessage().contains("auto.offset.reset=yesterday: expected smallest, largest"),
        error.getMessage());
  }

  @Test
  void messagesWithoutValueGiveNoRowButMoveOn() throws Exception {
    var topic = newTopic();
    try (var producer = Broker.producer(topic).enableBatching(true).create()) {
      for (String value : new String[] {null, "a", null, null, "b", "c", null}) {
        producer.newMessage().key("k").value(value == null ? null : value.getBytes()).send();
      }
    }
    var table = new Table(topic);

    try (var segment = table.segment(0, BEGINNING).readMessages(7).readAll(500)) {
      assertEquals(List.of("a", "b", "c"), segment.values());
      assertTrue(segment.at.compareTo(segment.rows.get(2).after) > 0);
      Broker.send(topic, 7, 8);
      assertEquals(List.of("a", "b", "c", "7"), segment.read(4).values());
    }
  }

  /** The controller tells the slower replica the offset of the faster: it must end exactly there. */
  @Test
  void twoReplicasThatFetchedDifferentlyStopAtTheSameOffsets() throws Exception {
    var topic = newTopic();
    try (var producer = Broker.producer(topic).enableBatching(true).create()) {
      for (int i = 0; i < 300; i++) {
        var message = producer.newMessage().key("k" + i % 3);
        (i % 7 == 3 ? message : message.value(("" + i).getBytes())).sendAsync();
      }
      producer.flush();
    }
    var fast = new Table(topic).set("fetch.max.messages", "100");
    var slow = new Table(topic).set("fetch.max.messages", "3");

    try (var one = fast.segment(0, BEGINNING).readMessages(300).readAll(500);
        var two = slow.segment(0, BEGINNING).readMessages(300).readAll(500)) {
      assertEquals(offsets(one), offsets(two));
      assertEquals(one.at.toString(), two.at.toString());
      assertEquals(257, one.rows.size());
    }
  }

  private static List<String> offsets(Table.Segment segment) {
    return segment.rows.stream().map(row -> row.value + " " + row.after).collect(Collectors.toList());
  }

  @Test
  void nothingBeyondAGivenEndIsHandedOut() throws Exception {
    var topic = newTopic();
    Broker.sendBatches(topic, 0, 100, 10);
    var table = new Table(topic);
    try (var all = table.segment(0, BEGINNING).read(100); var part = table.segment(0, BEGINNING)) {
      var end = all.rows.get(54).after;
      part.readTo(end);
      assertEquals(numbers(0, 55), part.values());
      assertEquals(end, part.at);

      assertEquals(numbers(0, 100), part.read(100).values());
    }
  }

  @Test
  void recordTimeIsWhenTheProducerPublished() throws Exception {
    var topic = newTopic();
    long before = System.currentTimeMillis();
    Broker.sendBatches(topic, 0, 10, 5);
    long after = System.currentTimeMillis();

    try (var segment = new Table(topic).segment(0, BEGINNING)) {
      var batch = segment.fetch(30_000);
      for (int i = 0; i < batch.getMessageCount(); i++) {
        long ms = batch.getMetadataAtIndex(i).getIngestionTimeMs();
        assertTrue(before <= ms && ms <= after, before + " " + ms + " " + after);
      }
      assertTrue(batch.getMessageCount() > 0);
    }
  }

  @Test
  void partitionsAreCountedAndGrow() throws Exception {
    var topic = Broker.topic("public/default", 2);
    var table = new Table(topic);
    assertEquals(2, table.metadata(0).fetchPartitionCount(30_000));
    try (var zero = table.segment(0, BEGINNING); var two = table.segment(2, BEGINNING)) {
      assertEquals(0, two.fetch(1000).getUnfilteredMessageCount()); // One to come looks idle.

      Broker.setPartitions(topic, 4);
      assertEquals(4, table.metadata(0).fetchPartitionCount(30_000));
      for (int i = 0; i < 4; i++) {
        Broker.send(topic + "-partition-" + i, 100 * i, 100 * i + 10);
      }

      assertEquals(numbers(0, 10), zero.read(10).values());
      assertEquals(numbers(200, 210), two.read(10).values());
    }
  }

  @Test
  void aTopicWithoutPartitionsIsItsOwnOnlyOne() throws Exception {
    var topic = Broker.topic("public/default", 0);
    Broker.send(topic, 0, 10);
    var table = new Table(topic);

    assertEquals(1, table.metadata(0).fetchPartitionCount(30_000));
    try (var segment = table.segment(0, BEGINNING)) {
      assertEquals(numbers(0, 10), segment.read(10).values());
    }
  }

  @Test
  void aTopicThatDoesNotExistIsSaidAndNotMade() {
    var topic = "persistent://public/default/none-" + System.nanoTime();
    var table = new Table(topic);

    var error = assertThrows(TransientConsumerException.class,
        () -> table.metadata(0).fetchPartitionCount(30_000));

    assertTrue(error.toString().contains("TopicDoesNotExist") || error.toString().contains("not found"),
        error.toString());
    assertFalse(Broker.admin("GET", "/persistent/public/default/partitioned", "").contains(topic));
  }

  @Test
  void aBrokerThatIsAwayLooksIdleAndIsAskedLessAndLess() throws Exception {
    var table = new Table("persistent://public/default/away").set("service.url", "pulsar://127.0.0.1:1")
        .set("client.operationTimeoutMs", "1000").set("client.lookupTimeoutMs", "1000");
    long failures = PulsarReading.COUNTERS.getFailures();

    try (var segment = table.segment(0, BEGINNING)) {
      long begun = System.nanoTime();
      for (int i = 0; i < 6; i++) {
        assertEquals(0, segment.fetch(1000).getUnfilteredMessageCount());
      }
      long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
      assertTrue(ms < 30_000, ms + " ms");
    }
    long more = PulsarReading.COUNTERS.getFailures() - failures;
    assertTrue(more >= 1 && more <= 5, more + " failures");

    long begun = System.nanoTime();
    assertThrows(TransientConsumerException.class, () -> table.metadata(0).fetchPartitionCount(700));
    long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
    assertTrue(ms < 30_000, ms + " ms");
  }
}
