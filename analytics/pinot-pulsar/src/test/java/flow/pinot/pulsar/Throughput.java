// What the plugin costs beside Pulsar's own client, measured in one process in turns, as a ratio:
//   rate     rows/s from a full topic: a plain Reader, its consumer without acknowledgements, the
//            plugin's fetch loop; and the CPU time of the whole process for each row
//   latency  at a given rate, of the same rows at the same time: received by a plain Reader and by
//            the plugin, each after the time of sending in the row, in microseconds
// A main for people (CONTRIBUTING says: numbers only from an idle machine); no test runs it.
//   java -Dpulsar.service=… -Dpulsar.admin=… -cp … flow.pinot.pulsar.Throughput rate ROWS ROUNDS [QUEUE]
//   java … flow.pinot.pulsar.Throughput latency ROWS_PER_SECOND SECONDS
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.Reader;
import org.apache.pulsar.client.impl.ConsumerImpl;

final class Throughput {
  private static final int VALUE_BYTES = 350; // As an order of the shop.

  private Throughput() {}

  public static void main(String[] arguments) throws Exception {
    int first = Integer.parseInt(arguments[1]);
    int second = Integer.parseInt(arguments[2]);
    if (arguments[0].equals("rate")) {
      rate(first, second, arguments.length > 3 ? arguments[3] : "4000");
    } else {
      latency(first, second);
    }
    System.exit(0); // The client's threads are no daemons.
  }

  // ---------------------------------------------------------------------------------- rate

  private interface Way {
    /** Reads {@code rows} rows from the beginning; returns how many bytes they had. */
    long read(int rows) throws Exception;
  }

  private static void rate(int rows, int rounds, String queue) throws Exception {
    var topic = Broker.topic("public/default", 1);
    fill(topic, rows);
    var ways = new TreeMap<String, Way>();
    ways.put("1 reader", n -> readerWay(topic, queue, n));
    ways.put("2 consumer", n -> consumerWay(topic, queue, n));
    ways.put("3 plugin", n -> pluginWay(topic, queue, n));
    var rates = new TreeMap<String, List<Double>>();
    var costs = new TreeMap<String, List<Double>>();
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    for (int round = -1; round < rounds; round++) { // One to warm up.
      for (var way : ways.entrySet()) {
        long cpu = system.getProcessCpuTime();
        long begun = System.nanoTime();
        long bytes = way.getValue().read(rows);
        double seconds = (System.nanoTime() - begun) / 1e9;
        if (bytes != (long) rows * VALUE_BYTES) {
          throw new IllegalStateException(way.getKey() + " read " + bytes + " bytes");
        }
        if (round >= 0) {
          rates.computeIfAbsent(way.getKey(), key -> new ArrayList<>()).add(rows / seconds);
          costs.computeIfAbsent(way.getKey(), key -> new ArrayList<>())
              .add((system.getProcessCpuTime() - cpu) / 1e3 / rows);
        }
      }
    }
    double base = median(rates.get("1 reader"));
    rates.forEach((way, all) -> System.out.printf("%-10s queue %s: %,.0f rows/s (%.2f of the reader), %.2f us of CPU a row%n",
        way, queue, median(all), median(all) / base, median(costs.get(way))));
  }

  private static double median(List<Double> values) {
    var sorted = values.stream().sorted().toArray(Double[]::new);
    return sorted[sorted.length / 2];
  }

  private static void fill(String topic, int rows) throws Exception {
    try (var producer = Broker.producer(topic).enableBatching(true).batchingMaxMessages(1000)
        .batchingMaxPublishDelay(1, TimeUnit.MILLISECONDS).maxPendingMessages(10_000).create()) {
      for (int i = 0; i < rows; i++) {
        producer.sendAsync(new byte[VALUE_BYTES]);
      }
      producer.flush();
    }
  }

  private static Reader<byte[]> open(String topic, String queue) throws Exception {
    return Broker.client().newReader().topic(topic + "-partition-0").startMessageId(MessageId.earliest)
        .receiverQueueSize(Integer.parseInt(queue)).create();
  }

  private static long readerWay(String topic, String queue, int rows) throws Exception {
    long bytes = 0;
    try (var reader = open(topic, queue)) {
      for (int i = 0; i < rows; i++) {
        bytes += reader.readNext(30, TimeUnit.SECONDS).getData().length;
      }
    }
    return bytes;
  }

  private static long consumerWay(String topic, String queue, int rows) throws Exception {
    long bytes = 0;
    try (var reader = open(topic, queue)) {
      ConsumerImpl<byte[]> consumer = PulsarTopic.consumerOf(reader);
      for (int i = 0; i < rows; i++) {
        bytes += consumer.receive(30, TimeUnit.SECONDS).getData().length;
      }
    }
    return bytes;
  }

  private static long pluginWay(String topic, String queue, int rows) throws Exception {
    var table = new Table(topic).set("reader.receiverQueueSize", queue);
    long bytes = 0;
    int seen = 0;
    try (var segment = table.segment(0, "-1:-1:-1")) {
      while (seen < rows) {
        var batch = segment.fetchFrom(segment.at, 1000);
        for (int i = 0; i < batch.getMessageCount(); i++) { // What Pinot calls for a row.
          batch.getMetadataAtIndex(i);
          bytes += ((byte[]) batch.getMessageAtIndex(i)).length;
          segment.at = batch.getNextStreamPartitionMsgOffsetAtIndex(i);
          seen++;
        }
      }
    }
    return bytes;
  }

  // ---------------------------------------------------------------------------------- latency

  private static void latency(int rowsPerSecond, int seconds) throws Exception {
    var topic = Broker.topic("public/default", 1);
    int rows = rowsPerSecond * seconds;
    var plain = new long[rows];
    var plugin = new long[rows];
    var segment = new Table(topic).segment(0, "-1:-1:-1");
    segment.fetch(2000);
    var reader = open(topic, "1000");
    var one = new Thread(() -> {
      try {
        for (int i = 0; i < rows; i++) {
          var data = reader.readNext(30, TimeUnit.SECONDS).getData();
          plain[i] = System.nanoTime() - ByteBuffer.wrap(data).getLong();
        }
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    });
    var two = new Thread(() -> {
      for (int seen = 0; seen < rows;) {
        var batch = segment.fetchFrom(segment.at, 1000);
        for (int i = 0; i < batch.getMessageCount(); i++) {
          long sent = ByteBuffer.wrap((byte[]) batch.getMessageAtIndex(i)).getLong();
          segment.at = batch.getNextStreamPartitionMsgOffsetAtIndex(i);
          plugin[seen++] = System.nanoTime() - sent;
        }
      }
    });
    one.start();
    two.start();
    produce(topic, rows, rowsPerSecond);
    one.join();
    two.join();
    segment.close();
    reader.close();
    var more = new long[rows];
    Arrays.setAll(more, i -> plugin[i] - plain[i]);
    print("plain reader", plain);
    print("plugin", plugin);
    print("plugin - plain, row by row", more);
  }

  private static void produce(String topic, int rows, int rowsPerSecond) throws Exception {
    try (var producer = Broker.producer(topic).enableBatching(true).batchingMaxMessages(1000)
        .batchingMaxPublishDelay(1, TimeUnit.MILLISECONDS).create()) {
      long begun = System.nanoTime();
      for (int i = 0; i < rows; i++) {
        long due = begun + (long) (i * 1e9 / rowsPerSecond);
        for (long left; (left = due - System.nanoTime()) > 0;) {
          LockSupport.parkNanos(left);
        }
        var value = new byte[VALUE_BYTES];
        ByteBuffer.wrap(value).putLong(System.nanoTime());
        producer.sendAsync(value);
      }
      producer.flush();
    }
  }

  private static void print(String name, long[] nanos) {
    var late = Arrays.copyOfRange(nanos, nanos.length / 5, nanos.length); // Warm.
    Arrays.sort(late);
    System.out.printf("%-28s p50 %,d us, p90 %,d us, p99 %,d us, max %,d us%n", name, at(late, 0.5),
        at(late, 0.9), at(late, 0.99), at(late, 1));
  }

  private static long at(long[] sorted, double share) {
    return sorted[(int) Math.min(sorted.length - 1, share * sorted.length)] / 1000;
  }
}
