// The rows of one fetch in the shape that Pinot 0.11 to 1.4 asks for.
// Thread: that of its consumer.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import org.apache.pinot.spi.stream.MessageBatch;
import org.apache.pinot.spi.stream.RowMetadata;
import org.apache.pinot.spi.stream.StreamMessageMetadata;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffset;

final class PulsarBatch extends PulsarRows implements MessageBatch<byte[]> {
  PulsarBatch(PulsarPosition start) {
    super(start);
  }

  @Override
  public int getMessageCount() {
    return rows();
  }

  @Override
  public int getUnfilteredMessageCount() {
    return messages();
  }

  @Override
  public byte[] getMessageAtIndex(int row) {
    return value(row);
  }

  /** Where the row begins inside its array. */
  @Override
  public int getMessageOffsetAtIndex(int row) {
    return 0;
  }

  @Override
  public int getMessageLengthAtIndex(int row) {
    return value(row).length;
  }

  @Override
  public RowMetadata getMetadataAtIndex(int row) {
    return new StreamMessageMetadata(publishMs(row));
  }

  @Override
  public StreamPartitionMsgOffset getNextStreamPartitionMsgOffsetAtIndex(int row) {
    return after(row);
  }

  @Override
  public StreamPartitionMsgOffset getOffsetOfNextBatch() {
    return end();
  }

  @Override
  public long getNextStreamMessageOffsetAtIndex(int row) {
    throw new UnsupportedOperationException("a Pulsar position is not a number");
  }

  // The next two are asked for by Pinot from 1.2 on; 0.11 does not know them, so no @Override.
  public boolean hasDataLoss() {
    return rowsWereLost();
  }

  public StreamPartitionMsgOffset getFirstMessageOffset() {
    return rows() == 0 ? null : after(0);
  }
}
