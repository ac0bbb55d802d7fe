// What Pinot's processes are configured with and how they are called; nothing is started.
// SPDX-License-Identifier: Apache-2.0
#include "servers/pinot.hpp"

#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/pinot_plan.hpp"
#include "servers/settings_text.hpp"
#include "servers/zookeeper_probe.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const PinotPlan plan = {
    .home = {.folder = "/p", .version = "0.11.0", .class_path = "/p/lib/*", .pulsar_plugin = ""},
    .java = "/j/java",
    .run = "/r",
    .ports = {.zookeeper = 1, .controller = 2, .broker = 3, .servers = {{4, 5}}}};

std::string value_of(const base::Result<Settings>& settings, std::string_view key) {
  const auto* value = settings ? find_setting(*settings, key) : nullptr;
  return value ? *value : "";
}

// A folder of its own with empty files in it.
class Folder {
 public:
  explicit Folder(std::initializer_list<const char*> files) {
    static int count = 0;
    path_ = fs::path(::testing::TempDir()) /
            ("flow-pinot-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
    fs::create_directories(path_);
    for (const char* file : files) {
      EXPECT_TRUE(write_text_file(path_ / file, ""));
    }
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(PinotSettings, EveryAddressIsLoopbackAndEveryPortIsGiven) {
  const auto controller = pinot_controller_settings(plan, {});
  const auto broker = pinot_broker_settings(plan, {});
  const auto server = pinot_server_settings(plan, {});

  for (const auto* settings : {&controller, &broker, &server}) {
    EXPECT_EQ(value_of(*settings, "pinot.zk.server"), "127.0.0.1:1");
    EXPECT_EQ(value_of(*settings, "pinot.cluster.name"), "flow");
  }
  EXPECT_EQ(value_of(controller, "controller.host"), "127.0.0.1");
  EXPECT_EQ(value_of(controller, "controller.access.protocols.http.host"), "127.0.0.1");
  EXPECT_EQ(value_of(controller, "controller.access.protocols.http.port"), "2");
  EXPECT_EQ(value_of(broker, "pinot.broker.hostname"), "127.0.0.1");
  EXPECT_EQ(value_of(broker, "pinot.broker.client.access.protocols.http.host"), "127.0.0.1");
  EXPECT_EQ(value_of(broker, "pinot.broker.client.queryPort"), "3");
  EXPECT_EQ(value_of(server, "pinot.server.netty.host"), "127.0.0.1");
  EXPECT_EQ(value_of(server, "pinot.server.netty.port"), "4");
  EXPECT_EQ(value_of(server, "pinot.server.adminapi.access.protocols.http.host"), "127.0.0.1");
  EXPECT_EQ(value_of(server, "pinot.server.adminapi.access.protocols.http.port"), "5");
}

TEST(PinotSettings, LevelReplacesOwnSettingsAndIsWrittenOnce) {
  const auto settings = pinot_server_settings(plan, {{"pinot.server.shutdown.timeoutMs", "1"},
                                                     {"pinot.server.query.executor.timeout", "9"}});

  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(value_of(settings, "pinot.server.shutdown.timeoutMs"), "1");
  EXPECT_EQ(value_of(settings, "pinot.server.query.executor.timeout"), "9");
  std::set<std::string> keys;
  for (const auto& [key, value] : *settings) EXPECT_TRUE(keys.insert(key).second) << key;
}

TEST(PinotSettings, RefusesALevelThatMovesAProcess) {
  for (const char* key :
       {"pinot.server.netty.port", "pinot.server.adminapi.access.protocols.http.port",
        "pinot.server.instance.dataDir", "pinot.zk.server", "pinot.cluster.name"}) {
    const auto settings = pinot_server_settings(plan, {{key, "x"}});
    ASSERT_FALSE(settings) << key;
    EXPECT_EQ(settings.error().code, base::Errc::config);
    EXPECT_THAT(settings.error().what, HasSubstr(key));
  }
  EXPECT_FALSE(pinot_controller_settings(plan, {{"controller.port", "9000"}}));
  EXPECT_FALSE(pinot_broker_settings(plan, {{"pinot.broker.hostname", "elsewhere"}}));
}

TEST(PinotCommand, HasTheMemoryOfTheLevel) {
  PinotLevel level;
  level.server_heap_mb = 77;
  level.server_direct_mb = 55;
  level.broker_heap_mb = 66;

  const auto server = pinot_command(plan, pinot_server, level);
  const auto broker = pinot_command(plan, pinot_broker, level);

  EXPECT_EQ(server.front(), "/j/java");
  EXPECT_EQ(server.back(), "/r/config/pinot-server.conf");
  EXPECT_THAT(server, Contains("-Xmx77m"));
  EXPECT_THAT(server, Contains("-XX:MaxDirectMemorySize=55m"));
  EXPECT_THAT(server, Contains("StartServer"));
  EXPECT_THAT(broker, Contains("-Xmx66m"));
  EXPECT_THAT(broker, Contains("StartBroker"));
}

// What a query or a row passes through is compiled as well as it can be.
TEST(PinotCommand, OnlyWhatIsNotMeasuredIsCompiledQuickly) {
  const auto is_quick = [](std::string_view role) {
    return std::ranges::count(pinot_command(plan, role, {}), "-XX:TieredStopAtLevel=1") == 1;
  };

  EXPECT_TRUE(is_quick(pinot_zookeeper));
  EXPECT_TRUE(is_quick(pinot_controller));
  EXPECT_FALSE(is_quick(pinot_broker));
  EXPECT_FALSE(is_quick(pinot_server));
}

TEST(PinotCommand, EveryPinotProcessLetsGoOfItsSessionAfterSixSeconds) {
  for (const char* role : {pinot_controller, pinot_broker, pinot_server}) {
    EXPECT_THAT(pinot_command(plan, role, {}), Contains("-Dzk.session.timeout=6000")) << role;
  }
}

TEST(PinotCommand, MapsTheArchiveOfItsRoleWhereThereIsOne) {
  const Folder folder({"pinot-server.jsa"});
  PinotPlan with_archives = plan;
  with_archives.archives = folder.path();
  const std::string flag = "-XX:SharedArchiveFile=" + (folder.path() / "pinot-server.jsa").string();

  EXPECT_THAT(pinot_command(with_archives, pinot_server, {}), Contains(flag));
  EXPECT_THAT(pinot_command(with_archives, pinot_broker, {}),
              Not(Contains(HasSubstr("SharedArchiveFile"))));
  EXPECT_THAT(pinot_command(plan, pinot_server, {}), Not(Contains(HasSubstr(".jsa"))));

  with_archives.is_making_archives = true;
  EXPECT_THAT(
      pinot_command(with_archives, pinot_broker, {}),
      Contains("-XX:ArchiveClassesAtExit=" + (folder.path() / "pinot-broker.jsa").string()));
}

TEST(PinotArchives, OfAFetchedPinotAreKeptForEachJava) {
  const Folder one({"bin/java", "lib/server/libjvm.so"});
  const Folder other({"bin/java", "lib/server/libjvm.so"});
  const auto archives = [](const PinotHome& home, const Folder& java) {
    return pinot_archives(home, (java.path() / "bin" / "java").string());
  };
  PinotHome home = plan.home;

  EXPECT_EQ(archives(home, one), "");
  home.is_fetched = true;
  EXPECT_THAT(archives(home, one).filename().string(), HasSubstr(".classes-"));
  EXPECT_EQ(archives(home, one), archives(home, one));
  EXPECT_NE(archives(home, one), archives(home, other));

  const auto before = archives(home, one);  // An update of the same Java.
  fs::last_write_time(one.path() / "lib" / "server" / "libjvm.so",
                      fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_NE(archives(home, one), before);
}

TEST(PinotHome, OfModulesIsTheClassPathOfTheFolderAndThePlugin) {
  const Folder folder({"lib/pinot-spi-0.11.0.jar", "lib/pinot-core-0.11.0.jar", "plugin.jar"});

  const auto home = find_pinot(folder.path(), folder.path() / "plugin.jar");

  ASSERT_TRUE(home) << home.error().what;
  EXPECT_EQ(home->version, "0.11.0");
  EXPECT_EQ(home->class_path,
            folder.path().string() + "/lib/*:" + folder.path().string() + "/plugin.jar");
  EXPECT_THAT(home->pulsar_plugin, EndsWith("/plugin.jar"));
}

TEST(PinotHome, OfApachesArchiveBringsItsPlugins) {
  const Folder folder(
      {"lib/pinot-all-1.4.0-jar-with-dependencies.jar",
       "plugins/pinot-input-format/pinot-json/pinot-json-1.4.0-shaded.jar",
       "plugins/pinot-stream-ingestion/pinot-pulsar/pinot-pulsar-1.4.0-shaded.jar"});

  const auto home = find_pinot(folder.path(), "");

  ASSERT_TRUE(home) << home.error().what;
  EXPECT_EQ(home->version, "1.4.0");
  EXPECT_THAT(home->class_path, HasSubstr("/pinot-json-1.4.0-shaded.jar:"));
  EXPECT_THAT(home->pulsar_plugin, EndsWith("/pinot-pulsar-1.4.0-shaded.jar"));
}

TEST(PinotHome, SaysWhatIsMissing) {
  const Folder empty({});
  const Folder whole({"lib/pinot-spi-0.11.0.jar"});

  const auto nothing = find_pinot(empty.path(), "");
  const auto no_plugin = find_pinot(whole.path(), "/nowhere/plugin.jar");

  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, base::Errc::config);
  EXPECT_THAT(nothing.error().what, HasSubstr(empty.path().string()));
  ASSERT_FALSE(no_plugin);
  EXPECT_EQ(no_plugin.error().code, base::Errc::config);
  EXPECT_THAT(no_plugin.error().what, HasSubstr("/nowhere/plugin.jar"));
}

TEST(PinotPlugin, IsTheOneOfTheEnvironmentOrOfTheBuild) {
  EXPECT_THAT(pinot_plugin_jar().string(), EndsWith("/build/pinot-pulsar/flow-pinot-pulsar.jar"));
  ::setenv("FLOW_PINOT_PLUGIN", "/x/y.jar", 1);
  EXPECT_EQ(pinot_plugin_jar(), "/x/y.jar");
  ::unsetenv("FLOW_PINOT_PLUGIN");
}

// As ZooKeeper 3.5.8 answers.
TEST(ZooKeeperDump, KnowsWhoseSessionIsAlive) {
  const std::string dump =
      "Sessions with Ephemerals (2):\n0x10000124a420012:\n"
      "\t/flow/LIVEINSTANCES/Server_127.0.0.1_41111\n0x10000124a420004:\n\t/flow/CONTROLLER/"
      "LEADER\n";

  EXPECT_TRUE(lists_ephemeral(dump, "/flow/LIVEINSTANCES/Server_127.0.0.1_41111"));
  EXPECT_TRUE(lists_ephemeral(dump, "/flow/CONTROLLER/LEADER"));
  EXPECT_FALSE(lists_ephemeral(dump, "/flow/LIVEINSTANCES/Server_127.0.0.1_4111"));
  EXPECT_FALSE(lists_ephemeral(dump, "/flow/LIVEINSTANCES/Broker_127.0.0.1_41111"));
  EXPECT_FALSE(lists_ephemeral("\t/other/flow/CONTROLLER/LEADER\n", "/flow/CONTROLLER/LEADER"));
  EXPECT_FALSE(lists_ephemeral("", "/flow/CONTROLLER/LEADER"));
}

}  // namespace
}  // namespace flow::servers
