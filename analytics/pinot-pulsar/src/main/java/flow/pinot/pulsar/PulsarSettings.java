// The stream settings of one table that the plugin reads, all after "stream.pulsar.": topic.name and
// service.url (required), token, fetch.max.messages, and whatever follows "client." and "reader.":
// those are Pulsar's own names and go to Pulsar's own builders. A wrong one is an
// IllegalArgumentException that names key, value and what was expected.
// Thread: any; immutable.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pulsar.client.impl.auth.AuthenticationToken;
import org.apache.pulsar.client.impl.conf.ClientConfigurationData;
import org.apache.pulsar.client.impl.conf.ConfigurationDataUtils;
import org.apache.pulsar.client.impl.conf.ReaderConfigurationData;

final class PulsarSettings {
  static final int MAX_MESSAGES = 10_000;

  // What the plugin sets itself: another value would break offsets, or two replicas would collide.
  private static final Set<String> OWN_CLIENT = Set.of("serviceUrl");
  private static final Set<String> OWN_READER =
      Set.of("topicNames", "topicName", "startMessageId", "startMessageFromRollbackDurationInSec",
          "readerListener", "readerName", "subscriptionName", "subscriptionMode",
          "subscriptionInitialPosition", "resetIncludeHead", "keyHashRanges", "poolMessages");
  private static final Set<String> SECRETS = Set.of("token", "authParams", "authParamMap",
      "tlsKeyStorePassword", "tlsTrustStorePassword", "socks5ProxyPassword");

  final String topic;
  final Map<String, Object> client;
  final Map<String, Object> reader;
  final int maxMessages;
  final boolean isCompacted; // Rows are missing on purpose.

  private final String prefix; // "stream.pulsar."

  /** {@code type} is the table's streamType, "pulsar" as a rule; it is part of every key. */
  PulsarSettings(String type, String topic, Map<String, String> all) {
    prefix = "stream." + type + ".";
    this.topic = topic;
    maxMessages = number(all, "fetch.max.messages", 2000, 1, MAX_MESSAGES);
    client = under(all, "client.", OWN_CLIENT, ClientConfigurationData.class);
    client.put("serviceUrl", serviceUrl(all.get(prefix + "service.url")));
    client.putIfAbsent("statsIntervalSeconds", "0");
    addToken(all.get(prefix + "token"));
    reader = under(all, "reader.", OWN_READER, ReaderConfigurationData.class);
    isCompacted = Boolean.parseBoolean(String.valueOf(reader.get("readCompacted")));
  }

  private String serviceUrl(String url) {
    if (url == null || !url.matches("pulsar(\\+ssl)?://[^\\s/]+/?")) {
      throw wrong("service.url", url, "pulsar://HOST:PORT or pulsar+ssl://HOST:PORT");
    }
    return url;
  }

  private void addToken(String token) {
    if (token == null) {
      return;
    }
    if (token.isBlank()) {
      throw wrong("token", token, "file:///PATH of a token, or the token itself");
    }
    if (client.containsKey("authPluginClassName")) {
      throw wrong("token", token, "either it or client.authPluginClassName, not both");
    }
    client.put("authPluginClassName", AuthenticationToken.class.getName());
    client.put("authParams", token.startsWith("file:") ? token : "token:" + token);
  }

  private int number(Map<String, String> all, String key, int standard, int least, int most) {
    var text = all.get(prefix + key);
    if (text == null) {
      return standard;
    }
    try {
      int value = Integer.parseInt(text.trim());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw wrong(key, text, "a number from " + least + " to " + most);
  }

  private Map<String, Object> under(Map<String, String> all, String group, Set<String> own, Class<?> shape) {
    var found = new HashMap<String, Object>();
    all.forEach((key, value) -> {
      if (key.startsWith(prefix + group)) {
        var name = key.substring(prefix.length() + group.length());
        check(group, name, value, own, shape);
        found.put(name, value);
      }
    });
    return found;
  }

  /** Each alone, because Pulsar's own message does not say which of many it means. */
  private void check(String group, String name, String value, Set<String> own, Class<?> shape) {
    var known = names(shape);
    known.removeAll(own);
    if (own.contains(name)) {
      throw wrong(group + name, value, "not to be set: the plugin sets it itself");
    }
    if (!known.contains(name)) {
      throw wrong(group + name, value, "one of " + group + String.join(", ", known));
    }
    try {
      ConfigurationDataUtils.loadData(Map.of(name, value), shape.getDeclaredConstructor().newInstance(),
          castToObject(shape));
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw wrong(group + name, value, "a value of type " + typeOf(shape, name));
    }
  }

  @SuppressWarnings("unchecked")
  private static Class<Object> castToObject(Class<?> shape) {
    return (Class<Object>) shape;
  }

  private static Set<String> names(Class<?> shape) {
    var found = new TreeSet<String>();
    for (var field : shape.getDeclaredFields()) {
      if ((field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0 && !field.isSynthetic()) {
        found.add(field.getName());
      }
    }
    return found;
  }

  private static String typeOf(Class<?> shape, String name) {
    try {
      return shape.getDeclaredField(name).getType().getSimpleName();
    } catch (NoSuchFieldException e) {
      return "unknown";
    }
  }

  private IllegalArgumentException wrong(String key, String value, String expected) {
    var bare = key.substring(key.indexOf('.') + 1);
    var shown = value != null && SECRETS.contains(bare) ? "(not shown)" : value;
    return new IllegalArgumentException(prefix + key + "=" + shown + ": expected " + expected);
  }
}
