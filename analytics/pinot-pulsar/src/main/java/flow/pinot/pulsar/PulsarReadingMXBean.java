// What the plugin has counted in this process, all tables together, as the JMX bean
// flow.pinot.pulsar:type=PulsarReading.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

public interface PulsarReadingMXBean {
  /** Messages handed to Pinot, those without a value included. */
  long getMessages();

  /** Messages that the client handed out twice, as it may after a reconnect; dropped here. */
  long getRepeatedMessages();

  /** Readers that could not be opened or that broke; each is tried again. */
  long getFailures();

  /** Times that rows were found to have been deleted before Pinot read them. */
  long getLosses();

  /** Rows lost in these; only where the broker numbers messages, else 0. */
  long getLostRows();

  /** Times that the ledger of the last row had been deleted and nothing told whether more was in it. */
  long getPossibleLosses();

  /** Times that a table's offset lay after the topic's end, as when a topic was made anew. */
  long getOffsetsBeyondEnd();

  /** Of the newest loss or possible loss: partition, wanted and found position. Empty: none. */
  String getLastLoss();
}
