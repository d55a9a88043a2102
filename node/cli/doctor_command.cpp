// cairn doctor.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <ostream>

#include "base/log.h"
#include "node/cli/command.h"
#include "node/cli/config_arguments.h"
#include "node/cli/http_client.h"
#include "node/doctor.h"

namespace cairn::cli {
namespace {

struct DoctorArguments {
  ConfigArguments config;
  std::string server;
  bool json = false;
};

std::string_view word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::good: return "ok";
    case Verdict::warning: return "warn";
    case Verdict::bad: return "fail";
  }
  return "fail";
}

Finding examine_configuration(const LoadedConfig& loaded) {
  std::vector<ConfigError> wrong = loaded.errors;
  if (wrong.empty()) wrong = unavailable_values(loaded);
  if (wrong.empty()) wrong = machine_errors(loaded);
  if (wrong.empty()) return {Verdict::good, "configuration", "valid", {}};
  return {Verdict::bad, "configuration", error_line(wrong.front()),
          wrong.size() == 1
              ? "See docs/configuration.md."
              : "`cairn config check` names all " + std::to_string(wrong.size()) + " errors."};
}

Task<void> ask(HttpClient& client, const Call& call, std::optional<Result<Reply>>& answer) {
  answer = co_await client.send(call);
}

/// `reached` becomes false where nothing answers.
Finding examine_server(const std::string& url, bool& reached) {
  const auto server = parse_server(url);
  if (!server) return {Verdict::bad, "server", server.error().detail, "Write http://host:port."};
  IoContext loop(1);
  HttpClient client(loop.get_executor(), server.value());
  const Call call{boost::beast::http::verb::get, "/v1/openapi.json", {}, {}};
  std::optional<Result<Reply>> answer;
  boost::asio::co_spawn(loop, ask(client, call, answer), boost::asio::detached);
  loop.run();
  if (!answer || !*answer) {
    reached = answer && answer->error().code != Errc::unavailable;
    return {Verdict::bad, "server", answer ? answer->error().detail : "no answer",
            "Is the node running, and is the address right?"};
  }
  if (answer->value().status != 200) {
    return {Verdict::bad, "server", url + ": " + answer->value().words(),
            "Something answers there, but it is no Cairn."};
  }
  return {Verdict::good, "server", url + " answers", {}};
}

void print(const Finding& finding, bool json, std::ostream& out) {
  std::string line;
  if (json) {
    line = "{\"verdict\":\"" + std::string(word_of(finding.verdict)) + "\",\"check\":";
    append_json_string(line, finding.name);
    line += ",\"detail\":";
    append_json_string(line, finding.detail);
    line += ",\"advice\":";
    append_json_string(line, finding.advice);
    line += '}';
  } else {
    line = word_of(finding.verdict);
    line.resize(6, ' ');
    line += finding.name + ": " + finding.detail;
    if (!finding.advice.empty()) line += "\n      " + finding.advice;
  }
  out << line << std::endl;
}

Exit run_doctor(const DoctorArguments& arguments, World& world) {
  const LoadedConfig loaded = load_layers(arguments.config, world);
  std::vector<Finding> findings{examine_configuration(loaded)};
  if (loaded.ok()) {
    for (Finding& finding : examine(loaded.config, SystemClock()))
      findings.push_back(std::move(finding));
  }
  const std::string server =
      arguments.server.empty() ? variable_or(world, "CAIRN_SERVER", "") : arguments.server;
  bool reached = true;
  if (!server.empty()) findings.push_back(examine_server(server, reached));
  std::size_t bad = 0;
  for (const Finding& finding : findings) {
    print(finding, arguments.json, world.out);
    if (finding.verdict == Verdict::bad) ++bad;
  }
  if (bad == 0) return Exit::ok;
  // Whatever is wrong here weighs more than a node that is away.
  return bad == 1 && !reached ? Exit::unreachable : Exit::failure;
}

}  // namespace

void add_doctor_command(CLI::App& app, Command& command) {
  CLI::App& doctor =
      *app.add_subcommand("doctor", "Checks this machine, the configuration and a server");
  auto arguments = std::make_shared<DoctorArguments>();
  add_config_options(doctor, arguments->config);
  doctor.add_option("--server,--url", arguments->server, "Asks this node too; also CAIRN_SERVER")
      ->type_name("URL");
  doctor.add_flag("--json", arguments->json, "One JSON object a line for machines");
  doctor.callback([arguments, &command] {
    command = [arguments](World& world) { return run_doctor(*arguments, world); };
  });
}

}  // namespace cairn::cli
