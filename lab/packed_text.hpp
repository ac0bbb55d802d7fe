// A long text, made small for a page that carries it: a zlib stream in base64, as the browser's
// DecompressionStream("deflate") reads it.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flow::lab {

class PackedText {
 public:
  PackedText();
  ~PackedText();
  PackedText(const PackedText&) = delete;
  PackedText& operator=(const PackedText&) = delete;

  void add(std::string_view text);
  std::string finish();  // Once, and nothing is added after it (FLOW_CHECK).

 private:
  struct Stream;

  void deflate_all(std::string_view text, bool is_last);

  std::unique_ptr<Stream> stream_;
  std::vector<std::byte> packed_;
};

}  // namespace flow::lab
