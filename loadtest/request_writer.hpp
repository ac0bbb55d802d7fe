// Puts the requests of a plan on the wire: fixed text is rendered once, what differs from request
// to request (ids, token, stamp) is patched in between. Paths and bodies are the shop's
// (list, view, order; for the set-up register, sign in, create a product) or one GET for all.
// Thread: const calls from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "net/url.hpp"
#include "traffic/actions.hpp"

namespace flow::loadtest {

// What the stamp of a request needs: see base/stamp.hpp. The parent id is derived from both numbers
// and never 0.
struct RequestStamp {
  std::uint64_t request;
  base::UnixNanos intended;
};

class RequestWriter {
 public:
  // `base.path` may end in /api/v1 or leave it out. `trial` is not 0.
  RequestWriter(const net::HttpUrl& base, std::uint64_t trial);

  // Replaces `out` by a whole request. Allocates only while `out` still grows.
  void write_list_products(std::string& out, RequestStamp stamp, std::string_view token) const;
  void write_view_product(std::string& out, RequestStamp stamp, std::string_view token,
                          unsigned product) const;
  void write_place_order(std::string& out, RequestStamp stamp, std::string_view token,
                         unsigned product, unsigned quantity) const;
  // POST of a JSON body to a path under /api/v1; `token` may be empty.
  void write_post(std::string& out, RequestStamp stamp, std::string_view token,
                  std::string_view path, std::string_view body) const;
  // GET of `target` as it stands, after base.path without /api/v1.
  void write_get(std::string& out, RequestStamp stamp, std::string_view target) const;

 private:
  void write_tail(std::string& out, RequestStamp stamp, std::string_view token) const;

  std::uint64_t trial_;
  std::string root_;  // base.path without /api/v1.
  std::string list_head_;
  std::string view_head_;
  std::string order_head_;
  std::string post_head_;
  std::string fields_;  // From " HTTP/1.1" to the trial's part of the traceparent.
};

std::uint64_t parent_of(std::uint64_t trial, std::uint64_t request);

}  // namespace flow::loadtest
