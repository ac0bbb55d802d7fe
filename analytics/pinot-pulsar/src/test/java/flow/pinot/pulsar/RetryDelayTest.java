// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class RetryDelayTest {
  private static final long MS = 1_000_000;

  private final RetryDelay delay = new RetryDelay();

  @Test
  void growsToItsBound() {
    var seen = new long[10];
    for (int i = 0; i < seen.length; i++) {
      seen[i] = delay.failed(0);
    }

    assertEquals("[200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]",
        java.util.Arrays.toString(seen));
  }

  @Test
  void countsDown() {
    assertEquals(0, delay.leftNanos(5));

    delay.failed(1000 * MS);

    assertEquals(200 * MS, delay.leftNanos(1000 * MS));
    assertEquals(50 * MS, delay.leftNanos(1150 * MS));
    assertEquals(0, delay.leftNanos(1300 * MS));
  }

  @Test
  void beginsAnewAfterASuccess() {
    delay.failed(0);
    delay.failed(0);
    delay.succeeded();

    assertEquals(0, delay.leftNanos(0));
    assertEquals(RetryDelay.FIRST_MS, delay.failed(0));
  }

  @Test
  void bearsAClockThatWrapsAround() {
    delay.failed(Long.MAX_VALUE);

    assertEquals(200 * MS, delay.leftNanos(Long.MAX_VALUE));
    assertEquals(100 * MS, delay.leftNanos(Long.MAX_VALUE + 100 * MS));
  }
}
