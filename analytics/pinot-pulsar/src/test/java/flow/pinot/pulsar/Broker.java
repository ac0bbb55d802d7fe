// The real Pulsar that the tests with the tags "pulsar" and "secure" are given by the system
// properties pulsar.service and pulsar.admin. Every wait is bounded.
// SPDX-License-Identifier: Apache-2.0
package flow.pinot.pulsar;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.ProducerBuilder;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;

final class Broker {
  static final String SERVICE = property("pulsar.service");
  static final String ADMIN = property("pulsar.admin");

  private static final HttpClient HTTP =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
  private static PulsarClient client;

  private Broker() {}

  static String property(String name) {
    var value = System.getProperty(name);
    if (value == null) {
      throw new IllegalStateException("-D" + name + " is not given: see tests/cluster/pulsar_plugin.test.mjs");
    }
    return value;
  }

  static synchronized PulsarClient client() throws PulsarClientException {
    if (client == null) {
      client = PulsarClient.builder().serviceUrl(SERVICE).statsInterval(0, TimeUnit.SECONDS).build();
    }
    return client;
  }

  /** A new topic; 0 partitions: one that is not partitioned. */
  static String topic(String namespace, int partitions) {
    var name = "t" + UUID.randomUUID().toString().substring(0, 8);
    var path = "/persistent/" + namespace + "/" + name;
    admin("PUT", path + (partitions > 0 ? "/partitions" : ""), partitions > 0 ? "" + partitions : "");
    return "persistent://" + namespace + "/" + name;
  }

  static String namespace() {
    var name = "public/n" + UUID.randomUUID().toString().substring(0, 8);
    admin("PUT", "/namespaces/" + name, "{\"replication_clusters\":[\"" + cluster() + "\"]}");
    return name;
  }

  private static String cluster() {
    return admin("GET", "/clusters", "").replaceAll("[\\[\\]\"]", "").split(",")[0];
  }

  static void setPartitions(String topic, int partitions) {
    admin("POST", path(topic) + "/partitions", "" + partitions);
  }

  /** Minutes and MB that are kept though nobody has to read them; 0: nothing, -1: everything. */
  static void setRetention(String namespace, int minutes, int mb) {
    admin("POST", "/namespaces/" + namespace + "/retention",
        "{\"retentionTimeInMinutes\":" + minutes + ",\"retentionSizeInMB\":" + mb + "}");
  }

  /** Closes the ledger; what is published next goes to a new one. */
  static void unload(String partition) {
    admin("PUT", path(partition) + "/unload", "");
  }

  /** Deletes the ledgers that retention no longer keeps, until {@code ledger} is one of them. */
  static void trimUntilGone(String partition, long ledger) {
    until("ledger " + ledger + " is deleted", () -> {
      admin("POST", path(partition) + "/trim", "");
      return !admin("GET", path(partition) + "/internalStats", "").contains("\"ledgerId\":" + ledger + ",");
    });
  }

  /** Ends the broker as a power cut would, starts it again with the same command; returns when it answers. */
  static void killAndRestart() throws IOException, InterruptedException {
    var old = ProcessHandle.of(Long.parseLong(property("pulsar.broker.pid"))).orElseThrow();
    var proc = Path.of("/proc/" + old.pid());
    var command = List.of(Files.readString(proc.resolve("cmdline")).split("\0"));
    var again = new ProcessBuilder(command).directory(proc.resolve("cwd").toRealPath().toFile())
        .redirectErrorStream(true).redirectOutput(new File(property("pulsar.broker.log")));
    again.environment().clear();
    for (var entry : Files.readString(proc.resolve("environ")).split("\0")) {
      int at = entry.indexOf('=');
      again.environment().put(entry.substring(0, at), entry.substring(at + 1));
    }
    old.destroyForcibly();
    until("the broker is gone", () -> !isRunning(proc));
    var process = again.start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    until("the broker answers again", 180, () -> {
      try {
        return admin("GET", "/brokers/health", "").contains("ok");
      } catch (IllegalStateException e) {
        return false;
      }
    });
  }

  private static boolean isRunning(Path proc) {
    try {
      return !Files.readString(proc.resolve("stat")).replaceAll(".*\\) ", "").startsWith("Z");
    } catch (IOException e) {
      return false;
    }
  }

  private static String path(String topic) {
    return "/" + topic.replace("://", "/");
  }

  static String admin(String method, String path, String body) {
    var request = HttpRequest.newBuilder(URI.create(ADMIN + "/admin/v2" + path))
        .timeout(Duration.ofSeconds(20)).header("Content-Type", "application/json")
        .method(method, HttpRequest.BodyPublishers.ofString(body));
    try {
      HttpResponse<String> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() >= 300) {
        throw new IllegalStateException(method + " " + path + ": " + answer.statusCode() + " " + answer.body());
      }
      return answer.body();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(method + " " + path, e);
    }
  }

  static ProducerBuilder<byte[]> producer(String topic) throws PulsarClientException {
    return client().newProducer().topic(topic).enableBatching(false).blockIfQueueFull(true);
  }

  /** Rows "FROM" to "TO - 1", each an entry of its own. */
  static void send(String topic, int from, int to) throws PulsarClientException {
    try (var producer = producer(topic).create()) {
      sendAll(producer, from, to, 0);
    }
  }

  /** The same in batches of exactly {@code size} rows, and the rest in a smaller one. */
  static void sendBatches(String topic, int from, int to, int size) throws PulsarClientException {
    var builder = producer(topic).enableBatching(true).batchingMaxMessages(10 * size)
        .batchingMaxPublishDelay(1, TimeUnit.MINUTES); // The flush ends a batch.
    try (var producer = builder.create()) {
      sendAll(producer, from, to, size);
    }
  }

  private static void sendAll(Producer<byte[]> producer, int from, int to, int flushEvery)
      throws PulsarClientException {
    CompletableFuture<?> last = CompletableFuture.completedFuture(null);
    for (int i = from; i < to; i++) {
      last = producer.sendAsync(("" + i).getBytes(UTF_8));
      if (flushEvery > 0 && (i - from + 1) % flushEvery == 0) {
        producer.flush();
      }
    }
    producer.flush();
    last.join();
  }

  static void until(String what, BooleanSupplier condition) {
    until(what, 30, condition);
  }

  private static void until(String what, int seconds, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited " + seconds + " s until " + what);
      }
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
