// What one fetch hands to Pinot.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.apache.pulsar.client.api.Message;
import org.junit.jupiter.api.Test;

class PulsarBatchTest {
  private final PulsarPosition start = PulsarPosition.parse("1:0:0/9");
  private final PulsarBatch batch = new PulsarBatch(start);

  private void add(Message<byte[]> message) {
    assertTrue(batch.canTake(message));
    batch.add(message, PulsarPosition.after(message));
  }

  @Test
  void anEmptyOneStaysWhereItBegan() {
    assertEquals(0, batch.getMessageCount());
    assertEquals(0, batch.getUnfilteredMessageCount());
    assertEquals(start, batch.getOffsetOfNextBatch());
    assertFalse(batch.hasDataLoss());
  }

  @Test
  void everyRowHasItsOwnNextOffset() {
    for (int i = 1; i < 9; i++) {
      add(Messages.inBatch(1, 0, i, 9, "value" + i));
    }
    add(Messages.single(1, 1, "single"));

    assertEquals(9, batch.getMessageCount());
    for (int row = 0; row < 8; row++) {
      assertEquals("1:0:" + (row + 1) + "/9", batch.getNextStreamPartitionMsgOffsetAtIndex(row).toString());
    }
    assertEquals("1:1:-1", batch.getNextStreamPartitionMsgOffsetAtIndex(8).toString());
    assertEquals("1:1:-1", batch.getOffsetOfNextBatch().toString());
  }

  @Test
  void rowsKeepBytesAndPublishTime() {
    for (int i = 0; i < 100; i++) { // More than it has room for at first.
      add(Messages.single(2, i, "row " + i));
    }

    for (int row = 0; row < 100; row++) {
      var bytes = ("row " + row).getBytes(StandardCharsets.UTF_8);
      assertArrayEquals(bytes, batch.getMessageAtIndex(row));
      assertEquals(0, batch.getMessageOffsetAtIndex(row));
      assertEquals(bytes.length, batch.getMessageLengthAtIndex(row));
      assertEquals(Messages.PUBLISHED_MS, batch.getMetadataAtIndex(row).getIngestionTimeMs());
    }
    assertEquals("row 0".length() * 10 + "row 10".length() * 90, batch.bytes());
  }

  @Test
  void aMessageWithoutValueStandsAlone() {
    var tombstone = Messages.single(1, 1, "");
    add(tombstone);

    assertEquals(0, batch.getMessageCount());
    assertEquals(1, batch.getUnfilteredMessageCount());
    assertEquals("1:1:-1", batch.getOffsetOfNextBatch().toString());
    assertFalse(batch.canTake(tombstone));
    assertFalse(batch.canTake(Messages.single(1, 2, "a")));
  }

  @Test
  void rowsEndBeforeAMessageWithoutValue() {
    add(Messages.single(1, 1, "a"));

    assertTrue(batch.canTake(Messages.single(1, 2, "b")));
    assertFalse(batch.canTake(Messages.single(1, 2, "")));
  }

  @Test
  void saysThatRowsBeforeItAreLost() {
    batch.markLoss();

    assertTrue(batch.hasDataLoss());
  }
}
