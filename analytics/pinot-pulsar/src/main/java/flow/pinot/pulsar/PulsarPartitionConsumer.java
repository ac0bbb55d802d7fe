// Reads one partition for one consuming segment.
//
// A fetch waits for a first message at most the time it is given, then takes what has already
// arrived: it returns as soon as there is a row and costs no polling while there is none. A broker
// that is away looks like an idle partition, because Pinot gives up after five exceptions in a row:
// the client reconnects by itself, and a reader that could not be opened or broke is opened again,
// after a growing delay, for as long as it takes.
//
// Invariant: rows leave in the order of their positions, each once, whatever the client repeats
// after a reconnect.
// Thread: one at a time, Pinot's.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pinot.spi.stream.MessageBatch;
import org.apache.pinot.spi.stream.PartitionLevelConsumer;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffset;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageIdAdv;
import org.apache.pulsar.client.api.PulsarClientException;
import org.apache.pulsar.client.api.Reader;
import org.apache.pulsar.client.impl.ConsumerImpl;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

final class PulsarPartitionConsumer implements PartitionLevelConsumer {
  private static final Logger LOG = LoggerFactory.getLogger(PulsarPartitionConsumer.class);
  private static final long BATCH_BYTES_MAX = 32L << 20;

  private final PulsarTopic topic;
  private final String clientId;
  private final int partition;
  private final String where;
  private final RetryDelay delay = new RetryDelay();
  private CompletableFuture<Reader<byte[]>> opening; // Null: nothing is open.
  private PulsarPosition position;                   // Of the last message handed out.
  private Message<byte[]> held;                      // Came after that one and did not fit its batch.
  private CompletableFuture<Boolean> ledgerIsThere;  // Asked because of the gap before `held`.

  PulsarPartitionConsumer(PulsarTopic topic, String clientId, int partition) {
    this.topic = topic;
    this.clientId = clientId;
    this.partition = partition;
    where = topic + " partition " + partition;
  }

  /** Connects in the background; the first fetch waits for it. */
  @Override
  public void start(StreamPartitionMsgOffset from) {
    close();
    position = (PulsarPosition) from;
    open();
  }

  private void open() {
    opening = topic.open(clientId, partition, position);
    var from = position;
    opening.thenCompose(Reader::getLastMessageIdsAsync)
        .thenAccept(last -> checkEnd(from, (MessageIdAdv) last.get(0)));
  }

  private void checkEnd(PulsarPosition from, MessageIdAdv last) {
    boolean isKnown = last.getLedgerId() >= 0 && !from.isBeginning();
    if (isKnown && (last.getLedgerId() < from.ledger()
            || (last.getLedgerId() == from.ledger() && last.getEntryId() < from.entry()))) {
      PulsarReading.COUNTERS.beyondEnd(where, from, last.getLedgerId() + ":" + last.getEntryId());
    }
  }

  @Override
  public MessageBatch<byte[]> fetchMessages(StreamPartitionMsgOffset start, StreamPartitionMsgOffset end,
      int timeoutMillis) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    var from = (PulsarPosition) start;
    if (!from.equals(position)) { // As after a batch of which Pinot took only a part.
      start(from);
    }
    var batch = new PulsarBatch(from);
    try {
      var consumer = connected(deadline);
      if (consumer != null) {
        fill(batch, consumer, (PulsarPosition) end, deadline);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (PulsarClientException e) {
      if (!Thread.currentThread().isInterrupted()) { // Pinot 1.x ends a segment so.
        failed(e);
      }
    }
    PulsarReading.COUNTERS.messages.add(batch.getUnfilteredMessageCount());
    return batch;
  }

  @Override
  public MessageBatch<byte[]> fetchMessages(long start, long end, int timeoutMillis) {
    throw new UnsupportedOperationException("a Pulsar position is not a number");
  }

  /** Null when there is no connection before the deadline. */
  private ConsumerImpl<byte[]> connected(long deadline) throws InterruptedException {
    if (opening == null) {
      long wait = delay.leftNanos(System.nanoTime());
      TimeUnit.NANOSECONDS.sleep(Math.min(wait, left(deadline)));
      if (delay.leftNanos(System.nanoTime()) > 0) {
        return null;
      }
      open();
    }
    try {
      var consumer = PulsarTopic.consumerOf(opening.get(left(deadline), TimeUnit.NANOSECONDS));
      delay.succeeded();
      return consumer;
    } catch (TimeoutException e) {
      return null; // Still connecting; the client's own operation time-out ends that.
    } catch (ExecutionException e) {
      failed(e.getCause());
      return null;
    }
  }

  private void failed(Throwable error) {
    close();
    PulsarReading.COUNTERS.failures.increment();
    long ms = delay.failed(System.nanoTime());
    LOG.warn("{}: cannot read after {}, next attempt in {} ms: {}", where, position, ms,
        PulsarTopic.reason(error));
  }

  private void fill(PulsarBatch batch, ConsumerImpl<byte[]> consumer, PulsarPosition end, long deadline)
      throws PulsarClientException, InterruptedException {
    Message<byte[]> last = null;
    var message = held != null ? held : next(consumer, batch, deadline);
    held = null;
    while (message != null) {
      var after = PulsarPosition.after(message);
      if (after.compareTo(position) <= 0) {
        PulsarReading.COUNTERS.repeatedMessages.increment();
      } else if (!batch.canTake(message) || (end != null && after.compareTo(end) > 0)
          || !isGapSettled(batch, after, deadline)) {
        held = message;
        break;
      } else {
        batch.add(message, after);
        position = after;
        last = message;
      }
      boolean isFull = batch.getUnfilteredMessageCount() >= topic.settings.maxMessages
          || batch.bytes() >= BATCH_BYTES_MAX;
      message = isFull ? null : next(consumer, batch, deadline);
    }
    if (last != null) {
      // Moves the reader's cursor on the broker, which only statistics look at: once a fetch.
      consumer.acknowledgeCumulativeAsync(last.getMessageId()).exceptionally(error -> null);
    }
  }

  /** Waits only while the batch is empty. */
  private static Message<byte[]> next(ConsumerImpl<byte[]> consumer, PulsarBatch batch, long deadline)
      throws PulsarClientException {
    long ms = batch.getUnfilteredMessageCount() > 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(left(deadline));
    return consumer.receive((int) ms, TimeUnit.MILLISECONDS);
  }

  /** False when the row at {@code next} must wait until it is known whether rows before it are lost. */
  private boolean isGapSettled(PulsarBatch batch, PulsarPosition next, long deadline)
      throws InterruptedException {
    var gap = topic.settings.isCompacted ? PulsarGap.NONE : PulsarGap.between(position, next);
    if (gap == PulsarGap.NONE) {
      return true;
    }
    if (gap == PulsarGap.EVIDENT && batch.getUnfilteredMessageCount() > 0) {
      return false; // The mark of a loss belongs to a batch that begins after the gap.
    }
    if (ledgerIsThere == null) {
      ledgerIsThere = topic.holds(partition, position.ledger());
    }
    if (gap == PulsarGap.UNPROVEN) { // Told when it is known; rows need not wait.
      var wanted = position;
      ledgerIsThere.thenAccept(isThere -> tellUnlessThere(isThere, wanted, next));
      ledgerIsThere = null;
      return true;
    }
    return isToldOfLoss(batch, next, deadline);
  }

  private void tellUnlessThere(boolean isThere, PulsarPosition wanted, PulsarPosition next) {
    if (!isThere) {
      PulsarReading.COUNTERS.perhapsLost(where, wanted, next);
    }
  }

  private boolean isToldOfLoss(PulsarBatch batch, PulsarPosition next, long deadline)
      throws InterruptedException {
    try {
      if (!ledgerIsThere.get(left(deadline), TimeUnit.NANOSECONDS)) {
        batch.markLoss();
        PulsarReading.COUNTERS.lost(where, position, next);
      }
    } catch (TimeoutException e) {
      return false; // Its own time is 30 s.
    } catch (ExecutionException e) {
      PulsarReading.COUNTERS.perhapsLost(where, position, next);
    }
    ledgerIsThere = null;
    return true;
  }

  private static long left(long deadline) {
    return Math.max(0, deadline - System.nanoTime());
  }

  @Override
  public void close() {
    if (opening != null) {
      opening.thenAccept(Reader::closeAsync);
    }
    opening = null;
    held = null;
    ledgerIsThere = null;
  }
}
