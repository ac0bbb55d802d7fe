// A table as Pinot's consumer loop sees it: the plugin made by Pinot's own provider from stream
// settings, rows fetched one batch after the other.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.pinot.spi.stream.MessageBatch;
import org.apache.pinot.spi.stream.OffsetCriteria;
import org.apache.pinot.spi.stream.PartitionLevelConsumer;
import org.apache.pinot.spi.stream.StreamConfig;
import org.apache.pinot.spi.stream.StreamConsumerFactory;
import org.apache.pinot.spi.stream.StreamConsumerFactoryProvider;
import org.apache.pinot.spi.stream.StreamMetadataProvider;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffset;

final class Table {
  private final Map<String, String> settings = new HashMap<>();

  Table(String topic) {
    settings.putAll(Map.of("streamType", "pulsar", "stream.pulsar.topic.name", topic,
        "stream.pulsar.service.url", Broker.SERVICE, "stream.pulsar.consumer.type", "lowlevel",
        "stream.pulsar.consumer.factory.class.name", PulsarStreamFactory.class.getName(),
        "stream.pulsar.decoder.class.name", "not.used"));
  }

  /** {@code key}: what follows "stream.pulsar.". */
  Table set(String key, String value) {
    settings.put("stream.pulsar." + key, value);
    return this;
  }

  StreamConfig config() {
    return new StreamConfig("t_REALTIME", settings);
  }

  StreamConsumerFactory factory() {
    return StreamConsumerFactoryProvider.create(config());
  }

  StreamMetadataProvider metadata(int partition) {
    return factory().createPartitionMetadataProvider("test", partition);
  }

  StreamPartitionMsgOffset offset(int partition, String criteria) {
    try (var provider = metadata(partition)) {
      return provider.fetchStreamPartitionOffset(
          new OffsetCriteria.OffsetCriteriaBuilder().withOffsetString(criteria), 30_000);
    } catch (IOException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A consumer of one segment that begins at {@code from}; text as in a segment's metadata. */
  Segment segment(int partition, String from) {
    return segment(partition, factory().createStreamMsgOffsetFactory().create(from));
  }

  Segment segment(int partition, StreamPartitionMsgOffset from) {
    return new Segment(factory().createPartitionLevelConsumer("test-" + partition, partition), from);
  }

  static final class Row {
    final String value;
    final StreamPartitionMsgOffset after;

    Row(String value, StreamPartitionMsgOffset after) {
      this.value = value;
      this.after = after;
    }
  }

  static final class Segment implements AutoCloseable {
    final PartitionLevelConsumer consumer;
    final List<Row> rows = new ArrayList<>();
    StreamPartitionMsgOffset at;
    StreamPartitionMsgOffset end; // Of every fetch; null: none.
    int messages; // Also those that give no row.
    boolean hasDataLoss;

    Segment(PartitionLevelConsumer consumer, StreamPartitionMsgOffset from) {
      this.consumer = consumer;
      at = from;
      consumer.start(from);
    }

    /** One fetch, taken whole. */
    MessageBatch<?> fetch(int timeoutMs) {
      var batch = fetchFrom(at, timeoutMs);
      for (int i = 0; i < batch.getMessageCount(); i++) {
        rows.add(row(batch, i));
      }
      messages += batch.getUnfilteredMessageCount();
      at = batch.getOffsetOfNextBatch();
      return batch;
    }

    MessageBatch<?> fetchFrom(StreamPartitionMsgOffset from, int timeoutMs) {
      try {
        var batch = consumer.fetchMessages(from, end, timeoutMs);
        hasDataLoss |= ((PulsarBatch) batch).hasDataLoss();
        return batch;
      } catch (TimeoutException e) {
        throw new IllegalStateException(e);
      }
    }

    static Row row(MessageBatch<?> batch, int i) {
      return new Row(new String((byte[]) batch.getMessageAtIndex(i), UTF_8),
          batch.getNextStreamPartitionMsgOffsetAtIndex(i));
    }

    /** Until there are so many rows; at most 30 s. */
    Segment read(int count) {
      return readUntil(count + " rows", () -> rows.size() >= count);
    }

    /** Until so many messages came, with or without a row; at most 30 s. */
    Segment readMessages(int count) {
      return readUntil(count + " messages", () -> messages >= count);
    }

    /** Until it stands there, and no further; at most 30 s. */
    Segment readTo(StreamPartitionMsgOffset last) {
      end = last;
      readUntil("offset " + last, () -> at.compareTo(last) >= 0);
      end = null;
      return this;
    }

    private Segment readUntil(String what, BooleanSupplier isThere) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (!isThere.getAsBoolean()) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError("waited 30 s for " + what + ", got " + rows.size() + " rows of "
              + messages + " messages");
        }
        fetch(500);
      }
      return this;
    }

    /** Until nothing has come for {@code ms}. */
    Segment readAll(int ms) {
      while (fetch(ms).getUnfilteredMessageCount() > 0) {
        continue;
      }
      return this;
    }

    List<String> values() {
      var found = new ArrayList<String>();
      rows.forEach(row -> found.add(row.value));
      return found;
    }

    @Override
    public void close() {
      try {
        consumer.close();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
