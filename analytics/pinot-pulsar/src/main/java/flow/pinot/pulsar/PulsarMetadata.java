// Answers how many partitions a topic has and where reading one begins.
// Thread: any; every answer within the time that Pinot gives, else TransientConsumerException.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pinot.spi.stream.OffsetCriteria;
import org.apache.pinot.spi.stream.StreamMetadataProvider;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffset;
import org.apache.pinot.spi.stream.TransientConsumerException;
import org.apache.pinot.spi.utils.TimeUtils;
import org.apache.pulsar.client.api.PulsarClientException;
import org.apache.pulsar.client.api.Reader;

final class PulsarMetadata implements StreamMetadataProvider {
  private final PulsarTopic topic;
  private final int partition;

  PulsarMetadata(PulsarTopic topic, int partition) {
    this.topic = topic;
    this.partition = partition;
  }

  @Override
  public int fetchPartitionCount(long timeoutMillis) {
    return await(topic.partitions(), deadline(timeoutMillis)).size();
  }

  // Asked for by Pinot from 1.2 on; 0.11 does not know it, so no @Override.
  public Set<Integer> fetchPartitionIds(long timeoutMillis) {
    return IntStream.range(0, fetchPartitionCount(timeoutMillis)).boxed().collect(Collectors.toSet());
  }

  // Asked for by Pinot 1.5: positions have no distance.
  public boolean supportsOffsetLag() {
    return false;
  }

  /**
   * Smallest is a constant: a real first position would look like data loss to the controller as soon
   * as retention has deleted a ledger that was read to its end.
   */
  @Override
  public StreamPartitionMsgOffset fetchStreamPartitionOffset(OffsetCriteria criteria, long timeoutMillis) {
    if (criteria.isSmallest()) {
      return PulsarPosition.BEGINNING;
    }
    long deadline = deadline(timeoutMillis);
    if (criteria.isLargest()) {
      return withReader(deadline, reader -> end(reader, deadline));
    }
    long since = sinceMs(criteria);
    return withReader(deadline, reader -> firstSince(reader, since, deadline));
  }

  private static long sinceMs(OffsetCriteria criteria) {
    try {
      if (criteria.isTimestamp()) {
        return TimeUtils.convertTimestampToMillis(criteria.getOffsetString());
      }
      if (criteria.isPeriod()) {
        return System.currentTimeMillis() - TimeUtils.convertPeriodToMillis(criteria.getOffsetString());
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new IllegalArgumentException("stream.pulsar.consumer.prop.auto.offset.reset="
        + criteria.getOffsetString() + ": expected smallest, largest, a period like 5m or a time like"
        + " 2026-01-01T00:00:00.000Z");
  }

  private interface Question {
    PulsarPosition ask(Reader<byte[]> reader);
  }

  private PulsarPosition withReader(long deadline, Question question) {
    while (true) {
      try {
        return askOnce(deadline, question);
      } catch (TransientConsumerException e) {
        if (!isBetweenConnections(e) || System.nanoTime() >= deadline) {
          throw e;
        }
      }
    }
  }

  /**
   * After a seek the broker ends the subscription's connection; who asks before it is back is told
   * "Consumer not found". A new reader knows.
   */
  private static boolean isBetweenConnections(TransientConsumerException error) {
    var cause = error.getCause() instanceof ExecutionException ? error.getCause().getCause() : null;
    return cause instanceof PulsarClientException.BrokerMetadataException;
  }

  private PulsarPosition askOnce(long deadline, Question question) {
    var opening = topic.openAtEnd("flow-pinot-offsets", partition);
    try {
      return question.ask(await(opening, deadline));
    } finally {
      opening.thenAccept(Reader::closeAsync); // Also when it opens after the deadline.
    }
  }

  private static PulsarPosition end(Reader<byte[]> reader, long deadline) {
    return PulsarPosition.after(await(reader.getLastMessageIdsAsync(), deadline).get(0));
  }

  /** A seek lands up to one entry, that is one batch, too early: publish times are compared after it. */
  private static PulsarPosition firstSince(Reader<byte[]> reader, long sinceMs, long deadline) {
    await(reader.seekAsync(sinceMs), deadline);
    while (await(reader.hasMessageAvailableAsync(), deadline)) {
      var message = await(reader.readNextAsync(), deadline);
      if (message.getPublishTime() >= sinceMs) {
        return PulsarPosition.before(message.getMessageId());
      }
    }
    return end(reader, deadline);
  }

  private static long deadline(long timeoutMillis) {
    return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
  }

  private static <T> T await(CompletableFuture<T> future, long deadline) {
    try {
      return future.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TransientConsumerException(e);
    } catch (ExecutionException e) {
      throw new TransientConsumerException(e);
    } catch (TimeoutException e) {
      future.cancel(false);
      throw new TransientConsumerException(e);
    }
  }

  @Override
  public void close() {
    // Clients are shared and kept.
  }
}
