// AdminClient: asks a running node's operator's listener on behalf of a command. One thread, which
// waits for the answers.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/cli/command.h"
#include "node/cli/config_arguments.h"
#include "node/cli/http_client.h"

namespace cairn::cli {

class AdminClient {
 public:
  /// The listener that the configuration names. Errors: malformed (the configuration, or it names
  /// none), in words for a person.
  static Result<AdminClient> of(const ConfigArguments& arguments, const World& world);

  Result<boost::json::object> get(std::string_view target) {
    return ask(boost::beast::http::verb::get, target, {});
  }
  /// `body` may be empty.
  Result<boost::json::object> post(std::string_view target, std::string_view body) {
    return ask(boost::beast::http::verb::post, target, body);
  }

  /// Returns after `wait`: between two questions about something that takes its time.
  static void pause(std::chrono::milliseconds wait);

 private:
  explicit AdminClient(std::string address) : address_(std::move(address)) {}
  /// What the node answers with a success. Errors: unavailable (nobody is there), denied, and
  /// malformed with the node's own words for every other refusal.
  Result<boost::json::object> ask(boost::beast::http::verb method, std::string_view target,
                                  std::string_view body) const;

  std::string address_;  ///< host:port
};

}  // namespace cairn::cli
