// Exactly once while the topic moves and the broker dies: what a segment reads is what the topic holds.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.pulsar.client.api.MessageId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("pulsar")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FaultTest {
  private final String topic = Broker.topic("public/default", 1);
  private final String partition = topic + "-partition-0";
  private final AtomicBoolean isOver = new AtomicBoolean();
  private final AtomicInteger sent = new AtomicInteger();
  private volatile int wanted = Integer.MAX_VALUE;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() {
    isOver.set(true);
    wanted = 0; // After a failure they would never end.
    threads.shutdown();
  }

  /** About 2,000 rows a second in small batches until it is over; each is tried until the broker has it. */
  private CompletableFuture<Void> produce() {
    return CompletableFuture.runAsync(() -> {
      try (var producer = Broker.producer(partition).enableBatching(true).batchingMaxMessages(20)
          .batchingMaxPublishDelay(2, TimeUnit.MILLISECONDS).sendTimeout(0, TimeUnit.SECONDS).create()) {
        while (!isOver.get()) {
          producer.sendAsync(("" + sent.getAndIncrement()).getBytes(UTF_8));
          if (sent.get() % 20 == 0) {
            Thread.sleep(10);
          }
        }
        producer.flush();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }, threads);
  }

  /**
   * What Pinot does: takes rows, ends a segment every {@code rows} rows, begins the next at its offset.
   * Until there are {@code wanted} rows, and for a moment more, in which none may come.
   */
  private CompletableFuture<List<String>> consume(int rows) {
    return CompletableFuture.supplyAsync(() -> {
      var taken = new ArrayList<String>();
      var table = new Table(topic);
      var at = "-1:-1:-1";
      long over = Long.MAX_VALUE;
      while (System.nanoTime() < over) {
        try (var segment = table.segment(0, at)) {
          int inSegment = 0;
          while (inSegment < rows && System.nanoTime() < over) {
            var batch = segment.fetch(500);
            for (int i = 0; i < batch.getMessageCount() && inSegment < rows; i++, inSegment++) {
              var row = Table.Segment.row(batch, i);
              taken.add(row.value);
              at = row.after.toString();
            }
            if (over == Long.MAX_VALUE && taken.size() >= wanted) {
              over = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
            }
          }
        }
      }
      return taken;
    }, threads);
  }

  /** Reads the topic itself, then expects of both consumers what it holds. */
  private void expectWhatTheTopicHolds(List<CompletableFuture<List<String>>> consumers) throws Exception {
    var expected = held(); // The producer may have sent some twice: the topic is the measure.
    assertTrue(expected.size() >= sent.get() && sent.get() > 1000, expected.size() + " of " + sent);
    wanted = expected.size();
    for (var consumer : consumers) {
      var taken = consumer.get(120, TimeUnit.SECONDS);
      int first = 0;
      while (first < Math.min(taken.size(), wanted) && taken.get(first).equals(expected.get(first))) {
        first++;
      }
      int differs = first;
      assertTrue(differs == wanted && taken.size() == wanted, () -> "differs at row " + differs + ": " + taken.size()
          + " rows taken, " + wanted + " held, then " + taken.stream().skip(differs).limit(5).collect(Collectors.toList())
          + " for " + expected.stream().skip(differs).limit(5).collect(Collectors.toList()));
    }
  }

  private List<String> held() throws Exception {
    var found = new ArrayList<String>();
    try (var reader = Broker.client().newReader().topic(partition).startMessageId(MessageId.earliest).create()) {
      while (reader.hasMessageAvailable()) {
        found.add(new String(reader.readNext(30, TimeUnit.SECONDS).getData(), UTF_8));
      }
    }
    return found;
  }

  @Test
  void rowsComeOnceWhileTheTopicIsUnloaded() throws Exception {
    var producing = produce();
    var consuming = consume(777);
    var whole = consume(Integer.MAX_VALUE);
    Broker.until("rows flow", () -> sent.get() > 500);
    for (int i = 0; i < 6; i++) {
      Thread.sleep(700);
      Broker.unload(partition);
    }
    Thread.sleep(700);
    isOver.set(true);
    producing.get(180, TimeUnit.SECONDS);

    expectWhatTheTopicHolds(List.of(consuming, whole));
  }

  @Test
  void rowsComeOnceWhenTheBrokerIsKilled() throws Exception {
    var producing = produce();
    var consuming = consume(777);
    var whole = consume(Integer.MAX_VALUE);
    Broker.until("rows flow", () -> sent.get() > 1500);
    Broker.killAndRestart();
    Thread.sleep(3000);
    isOver.set(true);
    producing.get(180, TimeUnit.SECONDS);

    expectWhatTheTopicHolds(List.of(consuming, whole));
  }
}
