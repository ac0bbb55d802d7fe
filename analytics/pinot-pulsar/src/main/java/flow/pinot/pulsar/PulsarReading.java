// The counters behind PulsarReadingMXBean, and the only place that reports lost rows.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.LongAdder;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

final class PulsarReading implements PulsarReadingMXBean {
  static final String NAME = "flow.pinot.pulsar:type=PulsarReading";
  static final PulsarReading COUNTERS = new PulsarReading();

  private static final Logger LOG = LoggerFactory.getLogger(PulsarReading.class);

  static {
    try {
      ManagementFactory.getPlatformMBeanServer().registerMBean(COUNTERS, new ObjectName(NAME));
    } catch (JMException | SecurityException e) {
      LOG.warn("{} is not registered: {}", NAME, e.toString()); // A second copy of the plugin, say.
    }
  }

  final LongAdder messages = new LongAdder();
  final LongAdder repeatedMessages = new LongAdder();
  final LongAdder failures = new LongAdder();
  private final LongAdder losses = new LongAdder();
  private final LongAdder lostRows = new LongAdder();
  private final LongAdder possibleLosses = new LongAdder();
  private final LongAdder offsetsBeyondEnd = new LongAdder();
  private volatile String lastLoss = "";

  private PulsarReading() {}

  /** {@code where}: topic and partition. */
  void lost(String where, PulsarPosition wanted, PulsarPosition found) {
    boolean isNumbered = wanted.index() >= 0 && found.index() > wanted.index();
    long rows = isNumbered ? found.index() - wanted.index() - 1 : 0;
    losses.increment();
    lostRows.add(rows);
    lastLoss = where + ": wanted after " + wanted + ", found " + found;
    LOG.error("{}: DATA LOSS: {} between offset {} and {} had been deleted before Pinot read them."
        + " Retention must be longer than Pinot may be away.",
        where, isNumbered ? rows + " rows" : "rows", wanted, found);
  }

  void perhapsLost(String where, PulsarPosition wanted, PulsarPosition found) {
    possibleLosses.increment();
    lastLoss = where + ": wanted after " + wanted + ", found " + found;
    LOG.warn("{}: possible data loss: ledger {} of offset {} has been deleted, the next row is {}. No row"
        + " is missing if that offset was the ledger's last; the topic does not tell (it would if the"
        + " broker numbered messages: AppendIndexMetadataInterceptor).",
        where, wanted.ledger(), wanted, found);
  }

  void beyondEnd(String where, PulsarPosition wanted, String last) {
    offsetsBeyondEnd.increment();
    LOG.error("{}: offset {} lies after the topic's last message {}: was the topic made anew? Nothing is"
        + " read until the topic is past that offset; reset the table's offsets.", where, wanted, last);
  }

  @Override
  public long getMessages() {
    return messages.sum();
  }

  @Override
  public long getRepeatedMessages() {
    return repeatedMessages.sum();
  }

  @Override
  public long getFailures() {
    return failures.sum();
  }

  @Override
  public long getLosses() {
    return losses.sum();
  }

  @Override
  public long getLostRows() {
    return lostRows.sum();
  }

  @Override
  public long getPossibleLosses() {
    return possibleLosses.sum();
  }

  @Override
  public long getOffsetsBeyondEnd() {
    return offsetsBeyondEnd.sum();
  }

  @Override
  public String getLastLoss() {
    return lastLoss;
  }
}
