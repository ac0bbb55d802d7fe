// Where Pinot stands in one Pulsar partition: "everything up to and including this message has been
// taken". The id of the next message is not known before it is there (entries, batches and ledgers
// end unforeseeably), so an offset is the id of the last row and a reader starts after it.
//
// Text: ledger:entry:batchIndex, then "/batchSize" for a message of a batch and "@index" when the
// broker numbers messages (AppendIndexMetadataInterceptor). batchIndex is -1 outside a batch. Order
// and equality are those of the first three; size and index only help to notice lost rows.
// Thread: any; immutable.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.regex.Pattern;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffset;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.MessageIdAdv;
import org.apache.pulsar.client.impl.BatchMessageIdImpl;
import org.apache.pulsar.client.impl.MessageIdImpl;

public final class PulsarPosition implements StreamPartitionMsgOffset {
  static final long UNKNOWN = -1;
  /** Before the first message of a partition, whichever that is when somebody reads it. */
  static final PulsarPosition BEGINNING = new PulsarPosition(-1, -1, -1, 0, UNKNOWN);

  private static final Pattern TEXT =
      Pattern.compile("(-1|\\d{1,19}):(-1|\\d{1,19}):(-1|\\d{1,10})(?:/(\\d{1,10}))?(?:@(\\d{1,19}))?");

  private final long ledger;
  private final long entry;
  private final int batchIndex;
  private final int batchSize; // 0: no batch, or not known.
  private final long index;    // The broker's number of the message; UNKNOWN as a rule.

  private PulsarPosition(long ledger, long entry, int batchIndex, int batchSize, long index) {
    this.ledger = ledger;
    this.entry = entry;
    this.batchIndex = batchIndex;
    this.batchSize = batchSize;
    this.index = index;
  }

  static PulsarPosition after(Message<?> message) {
    var id = (MessageIdAdv) message.getMessageId();
    return new PulsarPosition(id.getLedgerId(), id.getEntryId(), id.getBatchIndex(),
        id.getBatchIndex() < 0 ? 0 : id.getBatchSize(), message.getIndex().orElse(UNKNOWN));
  }

  /** After a message that was not read; an id without an entry, as of an empty topic, is the beginning. */
  static PulsarPosition after(MessageId id) {
    var known = (MessageIdAdv) id;
    return known.getEntryId() < 0 ? BEGINNING
        : new PulsarPosition(known.getLedgerId(), known.getEntryId(), known.getBatchIndex(),
            known.getBatchIndex() < 0 ? 0 : known.getBatchSize(), UNKNOWN);
  }

  /**
   * So that a reader started there returns {@code id} first. The entry before may hold a batch of any
   * size, and a start without a batch index would hand that whole batch out again.
   */
  static PulsarPosition before(MessageId id) {
    var known = (MessageIdAdv) id;
    return known.getBatchIndex() > 0
        ? new PulsarPosition(known.getLedgerId(), known.getEntryId(), known.getBatchIndex() - 1,
            known.getBatchSize(), UNKNOWN)
        : new PulsarPosition(known.getLedgerId(), known.getEntryId() - 1, Integer.MAX_VALUE, 0, UNKNOWN);
  }

  /** Throws IllegalArgumentException for what {@link #toString} cannot have written. */
  static PulsarPosition parse(String text) {
    var parts = TEXT.matcher(text);
    try {
      if (parts.matches()) {
        return new PulsarPosition(Long.parseLong(parts.group(1)), Long.parseLong(parts.group(2)),
            Integer.parseInt(parts.group(3)), parts.group(4) == null ? 0 : Integer.parseInt(parts.group(4)),
            parts.group(5) == null ? UNKNOWN : Long.parseLong(parts.group(5)));
      }
    } catch (NumberFormatException e) {
      // Too large: said below.
    }
    throw new IllegalArgumentException("Pulsar offset '" + text
        + "': expected ledger:entry:batchIndex[/batchSize][@index], like 7:28:307/1000 or -1:-1:-1");
  }

  boolean isBeginning() {
    return ledger < 0;
  }

  long ledger() {
    return ledger;
  }

  long entry() {
    return entry;
  }

  /** UNKNOWN when the broker does not number messages. */
  long index() {
    return index;
  }

  /** True when more rows of the same batch must follow this one. */
  boolean isInsideBatch() {
    return batchSize > 0 && batchIndex >= 0 && batchIndex < batchSize - 1;
  }

  /** What a reader is given as its exclusive start. */
  MessageId toMessageId() {
    if (isBeginning()) {
      return MessageId.earliest;
    }
    return batchIndex < 0 ? new MessageIdImpl(ledger, entry, -1)
        : new BatchMessageIdImpl(ledger, entry, -1, batchIndex);
  }

  @Override
  public StreamPartitionMsgOffset fromString(String text) {
    return parse(text);
  }

  @Override
  public int compareTo(StreamPartitionMsgOffset other) {
    var o = (PulsarPosition) other;
    int c = Long.compare(ledger, o.ledger);
    c = c != 0 ? c : Long.compare(entry, o.entry);
    return c != 0 ? c : Integer.compare(batchIndex, o.batchIndex);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PulsarPosition && compareTo((PulsarPosition) other) == 0;
  }

  @Override
  public int hashCode() {
    return 31 * (31 * Long.hashCode(ledger) + Long.hashCode(entry)) + batchIndex;
  }

  @Override
  public String toString() {
    return ledger + ":" + entry + ":" + batchIndex + (batchSize > 0 ? "/" + batchSize : "")
        + (index >= 0 ? "@" + index : "");
  }
}
