// The class that a table names as stream.pulsar.consumer.factory.class.name. Pinot makes it by name
// and hands it the table's stream settings.
// Thread: as Pinot calls; what it makes belongs to one thread at a time.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.Set;
import org.apache.pinot.spi.stream.PartitionLevelConsumer;
import org.apache.pinot.spi.stream.StreamConsumerFactory;
import org.apache.pinot.spi.stream.StreamLevelConsumer;
import org.apache.pinot.spi.stream.StreamMetadataProvider;
import org.apache.pinot.spi.stream.StreamPartitionMsgOffsetFactory;

public final class PulsarStreamFactory extends StreamConsumerFactory {
  @Override
  public PartitionLevelConsumer createPartitionLevelConsumer(String clientId, int partition) {
    return new PulsarPartitionConsumer(topic(), clientId, partition);
  }

  @Override
  public StreamMetadataProvider createPartitionMetadataProvider(String clientId, int partition) {
    return new PulsarMetadata(topic(), partition);
  }

  @Override
  public StreamMetadataProvider createStreamMetadataProvider(String clientId) {
    return new PulsarMetadata(topic(), 0);
  }

  @Override
  public StreamPartitionMsgOffsetFactory createStreamMsgOffsetFactory() {
    return new PulsarPositionFactory();
  }

  @Override
  public StreamLevelConsumer createStreamLevelConsumer(String clientId, String table, Set<String> fields,
      String group) {
    throw new UnsupportedOperationException(
        "stream.pulsar.consumer.type=highlevel: expected lowlevel, Pulsar is read by partition");
  }

  private PulsarTopic topic() {
    return new PulsarTopic(new PulsarSettings(_streamConfig.getType(), _streamConfig.getTopicName(),
        _streamConfig.getStreamConfigsMap()));
  }
}
