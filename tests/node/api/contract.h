// The OpenAPI document that the API serves, read for what it promises.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "node/http/fields.h"

namespace cairn::api {

class Contract {
 public:
  /// Method, path as the document writes it, status.
  using Outcome = std::tuple<std::string, std::string, int>;

  /// The one that openapi_json() holds.
  static const Contract& served();

  explicit Contract(std::string_view json);

  /// Every outcome that is promised (without `default`).
  std::set<Outcome> outcomes() const;
  /// Paths and their methods, each written "GET /v1/…".
  std::set<std::string> operations() const;

  /// Fails the test when the answer is not one that the document allows: another status, a
  /// required field missing. Gives the outcome where it is one of the document's.
  std::optional<Outcome> check(std::string_view method, std::string_view path, int status,
                               const http::FieldList& fields) const;

  /// Pointers ("#/…") anywhere in the document that lead nowhere.
  std::set<std::string> dangling() const;

 private:
  const boost::json::value* at(std::string_view pointer) const;
  const boost::json::value& resolved(const boost::json::value& value) const;
  std::string template_of(std::string_view path) const;
  void find_dangling(const boost::json::value& value, std::set<std::string>& out) const;

  boost::json::value document_;
};

}  // namespace cairn::api
