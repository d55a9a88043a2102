#include "tests/node/api/contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>

#include "node/api/openapi.h"

namespace cairn::api {
namespace {

namespace json = boost::json;

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_method(std::string_view key) {
  return key != "parameters" && key != "summary" && key != "description";
}

}  // namespace

Contract::Contract(std::string_view text)
    : document_(json::parse(json::string_view(text.data(), text.size()))) {}

const Contract& Contract::served() {
  static const Contract contract(openapi_json());
  return contract;
}

const json::value* Contract::at(std::string_view pointer) const {
  json::error_code ec;
  return document_.find_pointer(json::string_view(pointer.data() + 1, pointer.size() - 1), ec);
}

const json::value& Contract::resolved(const json::value& value) const {
  const json::value* reference =
      value.is_object() ? value.as_object().if_contains("$ref") : nullptr;
  if (reference == nullptr) return value;
  const std::string pointer(reference->as_string().c_str());
  const json::value* target = at(pointer);
  if (target == nullptr) throw std::runtime_error("nothing at " + pointer);
  return *target;
}

std::set<Contract::Outcome> Contract::outcomes() const {
  std::set<Outcome> out;
  for (const auto& [path, item] : document_.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (!is_method(method)) continue;
      for (const auto& [status, response] : operation.at("responses").as_object()) {
        if (status == "default") continue;
        out.insert({upper(method), std::string(path), std::stoi(std::string(status))});
      }
    }
  }
  return out;
}

std::set<std::string> Contract::operations() const {
  std::set<std::string> out;
  for (const auto& [path, item] : document_.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (is_method(method)) out.insert(upper(method) + " " + std::string(path));
    }
  }
  return out;
}

std::string Contract::template_of(std::string_view path) const {
  const json::object& paths = document_.at("paths").as_object();
  if (paths.contains(json::string_view(path.data(), path.size()))) return std::string(path);
  for (const auto& item : paths) {
    const std::string_view form(item.key().data(), item.key().size());
    const std::size_t at = form.find("{id}");
    if (at == std::string_view::npos) continue;
    const std::string_view before = form.substr(0, at);
    const std::string_view behind = form.substr(at + 4);
    if (path.size() < before.size() + behind.size() || !path.starts_with(before) ||
        !path.ends_with(behind)) {
      continue;
    }
    const auto id = path.substr(before.size(), path.size() - before.size() - behind.size());
    if (id.find('/') == std::string_view::npos) return std::string(form);
  }
  return "";
}

std::optional<Contract::Outcome> Contract::check(std::string_view method, std::string_view path,
                                                 int status, const http::FieldList& fields) const {
  const std::string key = template_of(path);
  if (key.empty()) {
    EXPECT_EQ(status, 404) << path << " is not in the contract";
    return std::nullopt;
  }
  const json::object& item = document_.at("paths").as_object().at(key).as_object();
  const json::value* operation = item.if_contains(lower(method));
  if (operation == nullptr) {
    EXPECT_EQ(status, 405) << method << " " << path << " is not in the contract";
    EXPECT_NE(fields.find("Allow"), "");
    return std::nullopt;
  }
  const json::value* response =
      operation->at("responses").as_object().if_contains(std::to_string(status));
  if (response == nullptr) {
    ADD_FAILURE() << method << " " << key << " answered " << status << ", which the contract does "
                  << "not know";
    return std::nullopt;
  }
  const json::object& promised = resolved(*response).as_object();
  if (const json::value* headers = promised.if_contains("headers")) {
    for (const auto& [name, header] : headers->as_object()) {
      const json::value* required = resolved(header).as_object().if_contains("required");
      if (required == nullptr || !required->as_bool()) continue;
      EXPECT_NE(fields.find(std::string_view(name.data(), name.size())), "")
          << method << " " << key << " " << status << " without " << name;
    }
  }
  return Outcome{std::string(method), key, status};
}

void Contract::find_dangling(const json::value& value, std::set<std::string>& out) const {
  if (value.is_array()) {
    for (const json::value& element : value.as_array()) find_dangling(element, out);
  }
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.as_object()) {
    if (key == "$ref" && at(member.as_string().c_str()) == nullptr) {
      out.insert(member.as_string().c_str());
    }
    find_dangling(member, out);
  }
}

std::set<std::string> Contract::dangling() const {
  std::set<std::string> out;
  find_dangling(document_, out);
  return out;
}

}  // namespace cairn::api
