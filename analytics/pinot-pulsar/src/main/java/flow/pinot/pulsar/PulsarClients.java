// One Pulsar client for each distinct configuration in the process, kept for its life: segments come
// and go every few seconds, connections and threads stay.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;

final class PulsarClients {
  private static final Map<Map<String, Object>, PulsarClient> CLIENTS = new ConcurrentHashMap<>();

  private PulsarClients() {}

  /** {@code configuration}: Pulsar's own names. Does not connect. */
  static PulsarClient get(Map<String, Object> configuration) {
    return CLIENTS.computeIfAbsent(configuration, PulsarClients::make);
  }

  private static PulsarClient make(Map<String, Object> configuration) {
    try {
      return PulsarClient.builder().loadConf(configuration).build();
    } catch (PulsarClientException | RuntimeException e) {
      // Names only: the values hold secrets.
      throw new IllegalArgumentException("stream.pulsar.client.*: no Pulsar client can be made from "
          + configuration.keySet() + ": " + e, e);
    }
  }
}
