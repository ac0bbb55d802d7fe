// Reads positions back from segment metadata and from the commit protocol.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import org.apache.pinot.spi.stream.StreamConfig;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffset;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffsetFactory;

public final class PulsarPositionFactory implements StreamPartitionMsgOffsetFactory {
  @Override
  public void init(StreamConfig streamConfig) {
    // A position is the same text for every table.
  }

  /**
   * Pinot's commit protocol, where it has no offset to tell: the answer that a server makes up while
   * the controller is away. The server waits and asks again; to fail here would end its consumption.
   */
  private static final String NO_OFFSET = "-1";

  @Override
  public StreamPartitionMsgOffset create(String text) {
    return NO_OFFSET.equals(text) ? PulsarPosition.BEGINNING : PulsarPosition.parse(text);
  }

  @Override
  public StreamPartitionMsgOffset create(StreamPartitionMsgOffset other) {
    return other; // Immutable.
  }
}
