// The topic of one table: its partitions, and readers on them.
// Thread: any; immutable. Futures are completed by the client's threads.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.MessageIdAdv;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;
import org.apache.pulsar.client.api.Reader;
import org.apache.pulsar.client.api.ReaderBuilder;
import org.apache.pulsar.client.impl.ConsumerImpl;
import org.apache.pulsar.client.impl.MessageIdImpl;
import org.apache.pulsar.client.impl.ReaderImpl;

final class PulsarTopic {
  private static final long PROBE_SECONDS = 30;

  final PulsarSettings settings;

  PulsarTopic(PulsarSettings settings) {
    this.settings = settings;
  }

  private PulsarClient client() {
    return PulsarClients.get(settings.client);
  }

  /** Full names in order of their index; a topic without partitions is its own only one. Makes no topic. */
  CompletableFuture<List<String>> partitions() {
    return client().getPartitionsForTopic(settings.topic, false);
  }

  /** A reader that begins after {@code from}. Fails when the topic has no such partition. */
  CompletableFuture<Reader<byte[]>> open(String readerName, int partition, PulsarPosition from) {
    return builder(partition).thenCompose(
        builder -> builder.readerName(readerName).startMessageId(from.toMessageId()).createAsync());
  }

  /** A reader at the end, to ask for positions with. */
  CompletableFuture<Reader<byte[]>> openAtEnd(String readerName, int partition) {
    return builder(partition).thenCompose(
        builder -> builder.readerName(readerName).startMessageId(MessageId.latest).createAsync());
  }

  private CompletableFuture<ReaderBuilder<byte[]>> builder(int partition) {
    return partitions().thenApply(all -> {
      if (partition >= all.size()) {
        throw new IllegalStateException(
            settings.topic + ": no partition " + partition + ", there are " + all.size());
      }
      return client().newReader().loadConf(settings.reader).topic(all.get(partition));
    });
  }

  /**
   * Whether the ledger still exists: reads it from its first entry and looks what comes. Only for a
   * partition that holds messages after that ledger, else it fails after 30 s.
   */
  CompletableFuture<Boolean> holds(int partition, long ledger) {
    return builder(partition)
        .thenCompose(builder -> builder.readerName("flow-pinot-probe").receiverQueueSize(1)
            .startMessageId(new MessageIdImpl(ledger, 0, -1)).startMessageIdInclusive().createAsync())
        .thenCompose(reader -> reader.readNextAsync()
            .orTimeout(PROBE_SECONDS, TimeUnit.SECONDS)
            .thenApply(message -> ((MessageIdAdv) message.getMessageId()).getLedgerId() == ledger)
            .whenComplete((isThere, error) -> reader.closeAsync()));
  }

  /** The consumer inside a reader: a reader acknowledges every message by itself, which costs. */
  static ConsumerImpl<byte[]> consumerOf(Reader<byte[]> reader) {
    return ((ReaderImpl<byte[]>) reader).getConsumer();
  }

  /** The reason in words: the client nests exceptions in futures. */
  static String reason(Throwable error) {
    var at = error;
    while (at.getCause() != null && !(at instanceof PulsarClientException)) {
      at = at.getCause();
    }
    return at.toString();
  }

  @Override
  public String toString() {
    return settings.topic;
  }
}
