// Offsets: text, order, what comes before and after a message.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.impl.MessageIdImpl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PulsarPositionTest {
  @ParameterizedTest
  @ValueSource(strings = {"-1:-1:-1", "7:0:-1", "7:12:0", "7:12:3/10", "7:12:3/10@99", "7:12:-1@0",
      "9223372036854775807:9223372036854775806:2147483647/2147483647@9223372036854775807"})
  void readsWhatItWrote(String text) {
    var position = PulsarPosition.parse(text);

    assertEquals(text, position.toString());
    assertEquals(text, new PulsarPositionFactory().create(text).toString());
    assertEquals(position, position.fromString(text));
    assertEquals(position.hashCode(), PulsarPosition.parse(text).hashCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "12345", "1:2", "1:2:3:4", "a:b:c", "1:2:3/", "1:2:3@", "1:2:3@x", " 1:2:3",
      "1:2:3\n", "-2:0:0", "1:-5:0", "99999999999999999999:0:0", "9223372036854775808:0:0", "1:1:9999999999"})
  void saysWhatItExpectedOfAnythingElse(String text) {
    var error = assertThrows(IllegalArgumentException.class, () -> PulsarPosition.parse(text));

    assertTrue(error.getMessage().contains("'" + text + "': expected ledger:entry:batchIndex"),
        error.getMessage());
  }

  @Test
  void orderFollowsTheLog() {
    var order = new String[] {"-1:-1:-1", "3:-1:2147483647", "3:0:-1", "3:1:0/2", "3:1:1/2", "3:1:10/11",
        "3:2:-1", "3:10:-1", "20:0:0/1"};

    for (int i = 0; i < order.length; i++) {
      for (int k = 0; k < order.length; k++) {
        int c = PulsarPosition.parse(order[i]).compareTo(PulsarPosition.parse(order[k]));
        assertEquals(Integer.signum(Integer.compare(i, k)), Integer.signum(c), order[i] + " to " + order[k]);
      }
    }
  }

  @Test
  void sizeAndIndexTakeNoPartInEquality() {
    var bare = PulsarPosition.parse("7:12:3");
    var full = PulsarPosition.parse("7:12:3/10@99");

    assertEquals(bare, full);
    assertEquals(bare.hashCode(), full.hashCode());
    assertEquals(0, bare.compareTo(full));
  }

  @Test
  void afterAMessageIsItsOwnId() {
    assertEquals("5:8:-1", PulsarPosition.after(Messages.single(5, 8, "v")).toString());
    assertEquals("5:8:3/4", PulsarPosition.after(Messages.inBatch(5, 8, 3, 4, "v")).toString());
  }

  @Test
  void messagesOfABatchAreNumberedBackFromTheEntry() {
    assertEquals("5:8:0/4@97", PulsarPosition.after(Messages.numbered(5, 8, 0, 4, 100)).toString());
    assertEquals("5:8:3/4@100", PulsarPosition.after(Messages.numbered(5, 8, 3, 4, 100)).toString());
  }

  @Test
  void theEndOfAnEmptyTopicIsItsBeginning() {
    var end = PulsarPosition.after(new MessageIdImpl(5, -1, 2));

    assertEquals(PulsarPosition.BEGINNING, end);
    assertEquals(MessageId.earliest, end.toMessageId());
  }

  @Test
  void beforeABatchSkipsTheWholeEntryBeforeIt() {
    assertEquals("5:8:2/4", PulsarPosition.before(Messages.id(5, 8, 3, 4)).toString());
    assertEquals("5:7:2147483647", PulsarPosition.before(Messages.id(5, 8, 0, 4)).toString());
    assertEquals("5:7:2147483647", PulsarPosition.before(new MessageIdImpl(5, 8, 2)).toString());
    assertEquals("5:-1:2147483647", PulsarPosition.before(new MessageIdImpl(5, 0, 2)).toString());
  }

  @Test
  void whatIsBeforeAMessageIsLessThanIt() {
    var random = new Random(1);
    for (int i = 0; i < 1000; i++) {
      int size = 1 + random.nextInt(5);
      var message = Messages.inBatch(random.nextInt(9), random.nextInt(9), random.nextInt(size), size, "v");

      var before = PulsarPosition.before(message.getMessageId());

      assertTrue(before.compareTo(PulsarPosition.after(message)) < 0, before.toString());
    }
  }

  @Test
  void knowsWhenRowsOfItsBatchMustFollow() {
    assertTrue(PulsarPosition.parse("7:12:3/10").isInsideBatch());
    assertFalse(PulsarPosition.parse("7:12:9/10").isInsideBatch());
    assertFalse(PulsarPosition.parse("7:12:0/1").isInsideBatch());
    assertFalse(PulsarPosition.parse("7:12:3").isInsideBatch());
    assertFalse(PulsarPosition.parse("7:12:-1").isInsideBatch());
    assertFalse(PulsarPosition.parse("7:12:2147483647").isInsideBatch());
  }

  @Test
  void takesTheAnswerOfAControllerThatIsAwayForNoPosition() {
    assertEquals(PulsarPosition.BEGINNING, new PulsarPositionFactory().create("-1"));
  }
}
