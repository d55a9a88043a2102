// VectorFile: a test's view of one of the committed vector files. Bytes are hexadecimal.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cairn {

class VectorFile : public ::testing::Test {
 protected:
  explicit VectorFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    file_ = boost::json::parse(text).as_object();
  }

  /// Of a section that has some: no case is no test.
  const boost::json::array& cases(std::string_view section) const {
    const boost::json::array& cases = file_.at(section).as_array();
    EXPECT_FALSE(cases.empty()) << section;
    return cases;
  }

  static std::string text(const boost::json::value& one, std::string_view name) {
    return std::string(one.at(name).as_string());
  }

  static Bytes hex(const boost::json::value& one, std::string_view name) {
    const std::string digits = text(one, name);
    Bytes bytes(digits.size() / 2);
    EXPECT_TRUE(read_hex(digits, bytes)) << name;
    return bytes;
  }

 private:
  boost::json::object file_;
};

}  // namespace cairn
