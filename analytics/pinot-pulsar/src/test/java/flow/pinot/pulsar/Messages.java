// Messages as a broker would send them, made by Pulsar's own classes: for tests without a server.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.impl.BatchMessageIdImpl;
import org.apache.pulsar.client.impl.MessageIdImpl;
import org.apache.pulsar.client.impl.MessageImpl;
import org.apache.pulsar.common.api.proto.BrokerEntryMetadata;
import org.apache.pulsar.common.api.proto.MessageMetadata;

final class Messages {
  static final long PUBLISHED_MS = 1_700_000_000_000L;

  private Messages() {}

  static Message<byte[]> single(long ledger, long entry, String value) {
    return message(new MessageIdImpl(ledger, entry, 0), value, -1, 0);
  }

  static Message<byte[]> inBatch(long ledger, long entry, int batchIndex, int batchSize, String value) {
    return message(id(ledger, entry, batchIndex, batchSize), value, -1, batchSize);
  }

  /** {@code entryIndex}: what the broker writes into the entry, the number of its last message. */
  static Message<byte[]> numbered(long ledger, long entry, int batchIndex, int batchSize, long entryIndex) {
    return message(id(ledger, entry, batchIndex, batchSize), "x", entryIndex, batchSize);
  }

  static MessageId id(long ledger, long entry, int batchIndex, int batchSize) {
    return new BatchMessageIdImpl(ledger, entry, 0, batchIndex, batchSize, null);
  }

  private static Message<byte[]> message(MessageId id, String value, long entryIndex, int batchSize) {
    var metadata = new MessageMetadata().setPublishTime(PUBLISHED_MS).setProducerName("p").setSequenceId(0);
    if (batchSize > 0) {
      metadata.setNumMessagesInBatch(batchSize);
    }
    var bytes = ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8));
    var message = MessageImpl.create(metadata, bytes, Schema.BYTES, "persistent://public/default/t");
    message.setMessageId(id);
    if (entryIndex >= 0) {
      message.setBrokerEntryMetadata(new BrokerEntryMetadata().setIndex(entryIndex));
    }
    return message;
  }
}
