// The stream settings of a table: defaults, what is passed on, and what is said about wrong ones.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PulsarSettingsTest {
  private final Map<String, String> all =
      new HashMap<>(Map.of("streamType", "pulsar", "stream.pulsar.topic.name", "orders",
          "stream.pulsar.service.url", "pulsar://127.0.0.1:6650"));

  private PulsarSettings settings() {
    return new PulsarSettings("pulsar", "orders", all);
  }

  private String mistake() {
    return assertThrows(IllegalArgumentException.class, this::settings).getMessage();
  }

  @Test
  void needsNoMoreThanTopicAndService() {
    var settings = settings();

    assertEquals("orders", settings.topic);
    assertEquals(2000, settings.maxMessages);
    assertEquals("pulsar://127.0.0.1:6650", settings.client.get("serviceUrl"));
    assertFalse(settings.isCompacted);
  }

  @Test
  void passesPulsarsOwnNamesOn() {
    all.put("stream.pulsar.client.operationTimeoutMs", "1234");
    all.put("stream.pulsar.client.tlsTrustCertsFilePath", "/etc/ca.pem");
    all.put("stream.pulsar.reader.receiverQueueSize", "77");
    all.put("stream.pulsar.reader.readCompacted", "true");

    var settings = settings();

    assertEquals("1234", settings.client.get("operationTimeoutMs"));
    assertEquals("/etc/ca.pem", settings.client.get("tlsTrustCertsFilePath"));
    assertEquals("77", settings.reader.get("receiverQueueSize"));
    assertTrue(settings.isCompacted);
  }

  @Test
  void equalTablesShareAClientConfiguration() {
    assertEquals(settings().client, settings().client);

    var before = settings().client;
    all.put("stream.pulsar.client.numIoThreads", "3");

    assertFalse(before.equals(settings().client));
  }

  @ParameterizedTest
  @CsvSource({"file:///etc/token, file:///etc/token", "abc.def.ghi, token:abc.def.ghi"})
  void aTokenIsAFileOrItself(String given, String parameter) {
    all.put("stream.pulsar.token", given);

    var settings = settings();

    assertEquals("org.apache.pulsar.client.impl.auth.AuthenticationToken",
        settings.client.get("authPluginClassName"));
    assertEquals(parameter, settings.client.get("authParams"));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "service.url | http://127.0.0.1:8080 | expected pulsar://HOST:PORT or pulsar+ssl://HOST:PORT",
      "service.url | pulsar:// | expected pulsar://HOST:PORT",
      "fetch.max.messages | 0 | expected a number from 1 to 10000",
      "fetch.max.messages | many | expected a number from 1 to 10000",
      "client.operationTimeoutMs | soon | expected a value of type long",
      "client.useTcpNoDelay | perhaps | expected a value of type boolean",
      "client.operationTimeout | 5 | expected one of client.",
      "client.serviceUrl | pulsar://h:1 | expected not to be set: the plugin sets it itself",
      "reader.receiverQueueSize | big | expected a value of type int",
      "reader.queueSize | 5 | expected one of reader.",
      "reader.cryptoFailureAction | HOPE | expected a value of type ConsumerCryptoFailureAction",
      "reader.subscriptionName | mine | expected not to be set: the plugin sets it itself"})
  void aWrongSettingIsNamed(String key, String value, String expected) {
    all.put("stream.pulsar." + key, value);

    var words = mistake();

    assertTrue(words.startsWith("stream.pulsar." + key + "=" + value + ": "), words);
    assertTrue(words.contains(expected), words);
  }

  @Test
  void aMissingServiceIsNamed() {
    all.remove("stream.pulsar.service.url");

    assertTrue(mistake().startsWith("stream.pulsar.service.url=null: expected pulsar://"), mistake());
  }

  @Test
  void twoWaysToLogInAreOneTooMany() {
    all.put("stream.pulsar.token", "secret");
    all.put("stream.pulsar.client.authPluginClassName", "x.Y");

    var words = mistake();

    assertTrue(words.contains("not both"), words);
    assertFalse(words.contains("secret"), words);
  }

  @Test
  void aSecretIsNotShown() {
    all.put("stream.pulsar.token", " ");
    var words = mistake();
    assertTrue(words.startsWith("stream.pulsar.token=(not shown): expected"), words);
  }

  @Test
  void theStreamTypeIsPartOfEveryKey() {
    var other = Map.of("stream.mine.service.url", "pulsar://h:1", "stream.mine.fetch.max.messages", "5");

    assertEquals(5, new PulsarSettings("mine", "t", other).maxMessages);
  }
}
