// Pinot's controller over its REST interface (0.11 to 1.x): tables made and dropped, what consumes
// them and how far, segments and their commits, instances. Answers are read by pure functions
// (controller_answers.hpp).
// Thread: `io`'s, except the destructor, which may run on any other one. It outlives its calls.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analytics/controller_answers.hpp"
#include "analytics/pinot_version.hpp"
#include "analytics/rest.hpp"
#include "analytics/tables.hpp"

namespace flow::analytics {

class Controller {
 public:
  Controller(net::IoThread& io, net::HttpUrl url, std::string authorization = {});

  const net::HttpUrl& url() const { return rest_.server(); }

  net::Task<base::Result<PinotVersion>> version(base::TimePoint deadline);

  // Of the first live broker of the first tenant. Errc::refused when there is none.
  net::Task<base::Result<net::HttpUrl>> broker_url(base::TimePoint deadline);

  // Every instance that the cluster knows, and whether it is connected.
  net::Task<base::Result<std::vector<Instance>>> instances(base::TimePoint deadline);

  // Names without "_REALTIME", sorted.
  net::Task<base::Result<std::vector<std::string>>> tables(base::TimePoint deadline);

  // Schema, then table; then waits until every partition consumes and the brokers know the table.
  // Errc::refused when a table of this name exists (nothing is changed) or Pinot refuses it; the
  // schema is taken back then.
  net::Task<base::Result<void>> create(TableDefinition definition, base::TimePoint deadline);

  // The table with its segments, then its schema; waits until Pinot has let go of both. False:
  // there was no such table.
  net::Task<base::Result<bool>> drop(std::string table, base::TimePoint deadline);

  // Errc::refused when there is no such table, here and below.
  net::Task<base::Result<base::json::object>> table_config(std::string table,
                                                           base::TimePoint deadline);
  net::Task<base::Result<std::vector<Consuming>>> consuming(std::string table,
                                                            base::TimePoint deadline);
  // Of every partition from the oldest to the one that consumes.
  net::Task<base::Result<std::vector<Segment>>> segments(std::string table,
                                                         base::TimePoint deadline);
  net::Task<base::Result<TableSize>> size(std::string table, base::TimePoint deadline);
  // What each consuming segment complained about last: rows it could not transform or index.
  net::Task<base::Result<std::vector<SegmentComplaint>>> complaints(std::string table,
                                                                    base::TimePoint deadline);

 private:
  net::Task<base::Result<base::json::value>> get(std::string target, base::TimePoint deadline);
  // nullopt for a 404.
  net::Task<base::Result<std::optional<base::json::value>>> find(std::string target,
                                                                 base::TimePoint deadline);
  // Segments whose every replica consumes, in an idealstate or externalview.
  net::Task<base::Result<std::size_t>> count_consuming(std::string target,
                                                       base::TimePoint deadline);
  net::Task<base::Result<bool>> is_known_to_brokers(std::string table, base::TimePoint deadline);
  net::Task<base::Result<void>> wait_until_consuming(std::string table, base::TimePoint deadline);
  net::Task<base::Result<void>> wait_until_gone(std::string table, base::TimePoint deadline);

  Rest rest_;
};

}  // namespace flow::analytics
