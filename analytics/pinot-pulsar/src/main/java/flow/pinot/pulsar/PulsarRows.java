// What one fetch took, without the shape that a version of Pinot asks for.
//
// Invariant: a batch is rows only, or one single message without a value. So the end of every
// message is an offset at which Pinot can stop, and two replicas that are told to end at the same
// offset can both end there, however their fetches were cut.
// Thread: that of its consumer.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.Arrays;
import org.apache.pulsar.client.api.Message;

class PulsarRows {
  private byte[][] values = new byte[16][];
  private long[] publishMs = new long[16];
  private PulsarPosition[] after = new PulsarPosition[16];
  private int rows;
  private int messages;
  private long bytes;
  private PulsarPosition end;
  private boolean isAfterLoss;

  PulsarRows(PulsarPosition start) {
    end = start;
  }

  /** A message without a value (a tombstone) has no row; it may only stand alone. */
  final void add(Message<byte[]> message, PulsarPosition position) {
    messages++;
    end = position;
    if (message.size() == 0) {
      return;
    }
    if (rows == values.length) {
      values = Arrays.copyOf(values, 2 * rows);
      publishMs = Arrays.copyOf(publishMs, 2 * rows);
      after = Arrays.copyOf(after, 2 * rows);
    }
    values[rows] = message.getData();
    publishMs[rows] = message.getPublishTime();
    after[rows] = position;
    bytes += message.size();
    rows++;
  }

  final boolean canTake(Message<byte[]> message) {
    return messages == 0 || (rows > 0 && message.size() > 0);
  }

  final void markLoss() {
    isAfterLoss = true;
  }

  final int rows() {
    return rows;
  }

  final int messages() {
    return messages;
  }

  final long bytes() {
    return bytes;
  }

  final byte[] value(int row) {
    return values[row];
  }

  /** When the producer's client published it, Unix ms. */
  final long publishMs(int row) {
    return publishMs[row];
  }

  final PulsarPosition after(int row) {
    return after[row];
  }

  /** After the last message, or the start when there was none. */
  final PulsarPosition end() {
    return end;
  }

  /** True when rows before the first one of this batch are gone for certain. */
  final boolean rowsWereLost() {
    return isAfterLoss;
  }
}
