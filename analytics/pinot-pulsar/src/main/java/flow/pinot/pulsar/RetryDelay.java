// How long to wait before something that failed is tried again: doubles from 200 ms to 30 s.
// Thread: that of its owner.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.util.concurrent.TimeUnit;

final class RetryDelay {
  static final long FIRST_MS = 200;
  static final long LAST_MS = 30_000;

  private long delayMs;
  private long dueNanos;

  /** {@code nowNanos}: of System.nanoTime(). Returns the delay in ms. */
  long failed(long nowNanos) {
    delayMs = delayMs == 0 ? FIRST_MS : Math.min(2 * delayMs, LAST_MS);
    dueNanos = nowNanos + TimeUnit.MILLISECONDS.toNanos(delayMs);
    return delayMs;
  }

  void succeeded() {
    delayMs = 0;
  }

  /** 0 when the next attempt is due. */
  long leftNanos(long nowNanos) {
    return delayMs == 0 ? 0 : Math.max(0, dueNanos - nowNanos);
  }
}
