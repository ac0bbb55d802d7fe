// The rows of one fetch in the shape that Pinot 1.5 asks for.
// Thread: that of its consumer.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import org.apache.pinot.spi.stream.MessageBatch;
import org.apache.pinot.spi.stream.StreamMessage;
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
  public StreamMessage<byte[]> getStreamMessage(int row) {
    int size = value(row).length;
    return new StreamMessage<>(null, value(row), size,
        new StreamMessageMetadata.Builder().setRecordIngestionTimeMs(publishMs(row))
            .setOffset(after(row), after(row)).setSerializedValueSize(size).build());
  }

  @Override
  public StreamPartitionMsgOffset getOffsetOfNextBatch() {
    return end();
  }

  @Override
  public long getSizeInBytes() {
    return bytes();
  }

  @Override
  public boolean hasDataLoss() {
    return rowsWereLost();
  }
}
