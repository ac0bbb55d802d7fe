// Which steps from one row to the next may have lost rows.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PulsarGapTest {
  @ParameterizedTest
  @CsvSource({
      "-1:-1:-1,     5:3:-1,      NONE",      // From the beginning, whichever it is.
      "5:3:-1,       5:4:-1,      NONE",
      "5:3:-1,       5:40:-1,     NONE",      // Entries between hold no message: markers, aborted rows.
      "5:3:2/9,      5:3:3/9,     NONE",
      "5:3:8/9,      5:4:0/9,     NONE",
      "5:3:-1@7,     5:9:-1@20,   NONE",
      "5:3:-1,       6:0:-1,      UNPROVEN",
      "5:3:8/9,      6:0:0/9,     UNPROVEN",
      "5:3:8/9,      900:0:0/9,   UNPROVEN",  // Other topics take ledger numbers, too.
      "5:3:8,        6:0:0/9,     UNPROVEN",
      "5:3:2147483647, 6:0:-1,    UNPROVEN",
      "5:3:-1@7,     6:0:-1@8,    NONE",
      "5:3:8/9@7,    6:0:0/9@8,   NONE",
      "5:3:-1@7,     6:0:-1@9,    EVIDENT",
      "5:3:-1@7,     6:0:-1,      UNPROVEN",  // Numbering was switched off, or on.
      "5:3:-1,       6:0:-1@8,    UNPROVEN",
      "5:3:7/9,      6:0:0/9,     EVIDENT",
      "5:3:7/9@7,    6:0:0/9@9,   EVIDENT"})
  void judgesAStep(String last, String next, PulsarGap expected) {
    assertEquals(expected, PulsarGap.between(PulsarPosition.parse(last), PulsarPosition.parse(next)));
  }
}
