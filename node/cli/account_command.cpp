// cairn account list | show | block | unblock | invite: the accounts of a running node's site.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <ctime>
#include <memory>
#include <ostream>

#include "node/cli/admin_client.h"
#include "node/cli/command.h"

namespace cairn::cli {
namespace {

constexpr std::string_view kAccounts = "/admin/v1/accounts";

struct AccountArguments {
  ConfigArguments config;
  std::string site = "*";
  std::string handle;
  bool json = false;
};

std::string text_at(const boost::json::object& object, const char* name) {
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->as_string().c_str())
                            : boost::json::serialize(*value);
}

/// Whatever a query must not hold as it is.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '.' || c == '-' || c == '_';
    if (plain) {
      out.push_back(c);
    } else {
      out.append("%").append(to_hex(as_bytes(std::string_view(&c, 1))));
    }
  }
  return out;
}

std::string target_of(const AccountArguments& arguments, std::string_view action) {
  std::string out(kAccounts);
  if (!arguments.handle.empty()) out.append("/").append(arguments.handle);
  out.append(action);
  return out.append("?site=").append(escaped(arguments.site));
}

void print(const boost::json::object& account, std::ostream& out) {
  out << text_at(account, "handle") << "  version " << text_at(account, "version") << "  slots";
  const boost::json::value* slots = account.if_contains("slots");
  if (slots != nullptr && slots->is_array()) {
    for (const boost::json::value& slot : slots->as_array()) {
      if (slot.is_string()) out << ' ' << slot.as_string().c_str();
    }
  }
  if (text_at(account, "blocked") == "true") out << "  blocked";
  out << '\n';
}

Exit refused(const Error& error, World& world) {
  world.err << "cairn: " << error.detail << '\n';
  return exit_for(error);
}

Exit answer(const Result<boost::json::object>& account, bool json, World& world) {
  if (!account) return refused(account.error(), world);
  if (json) {
    world.out << boost::json::serialize(account.value()) << '\n';
  } else {
    print(account.value(), world.out);
  }
  return Exit::ok;
}

Exit run_list(const AccountArguments& arguments, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  std::string after;
  for (bool more = true; more;) {
    const auto page = client.value().get(target_of(arguments, "") + "&after=" + escaped(after));
    if (!page) return refused(page.error(), world);
    const boost::json::value* accounts = page.value().if_contains("accounts");
    more = text_at(page.value(), "more") == "true";
    if (accounts == nullptr || !accounts->is_array()) break;
    for (const boost::json::value& account : accounts->as_array()) {
      if (!account.is_object()) continue;
      after = text_at(account.as_object(), "handle");
      static_cast<void>(answer(account.as_object(), arguments.json, world));
    }
  }
  return Exit::ok;
}

Exit run_show(const AccountArguments& arguments, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  return answer(client.value().get(target_of(arguments, "")), arguments.json, world);
}

Exit run_change(const AccountArguments& arguments, std::string_view action, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  return answer(client.value().post(target_of(arguments, action), {}), arguments.json, world);
}

Exit run_invite(const AccountArguments& arguments, World& world) {
  auto client = AdminClient::of(arguments.config, world);
  if (!client) return refused(client.error(), world);
  const auto made = client.value().post("/admin/v1/invites?site=" + escaped(arguments.site), {});
  if (!made) return refused(made.error(), world);
  if (arguments.json) {
    world.out << boost::json::serialize(made.value()) << '\n';
  } else {
    world.out << text_at(made.value(), "code") << '\n';
  }
  return Exit::ok;
}

CLI::App& add(CLI::App& accounts, const char* name, const char* words,
              const std::shared_ptr<AccountArguments>& arguments) {
  CLI::App& one = *accounts.add_subcommand(name, words);
  add_config_options(one, arguments->config);
  one.add_option("--site", arguments->site, "The site's first host (default \"*\")")
      ->type_name("HOST");
  one.add_flag("--json", arguments->json, "JSON for machines");
  return one;
}

}  // namespace

void add_account_commands(CLI::App& app, Command& command) {
  CLI::App& accounts = *app.add_subcommand("account", "The accounts of a running node's site");
  accounts.require_subcommand(1);
  const auto listed = std::make_shared<AccountArguments>();
  add(accounts, "list", "Shows the site's accounts, by handle", listed)
      .callback([listed, &command] {
        command = [listed](World& world) { return run_list(*listed, world); };
      });
  const auto shown = std::make_shared<AccountArguments>();
  CLI::App& showing = add(accounts, "show", "Shows one account", shown);
  showing.add_option("HANDLE", shown->handle)->required();
  showing.callback(
      [shown, &command] { command = [shown](World& world) { return run_show(*shown, world); }; });
  for (const char* action : {"block", "unblock"}) {
    const auto changed = std::make_shared<AccountArguments>();
    const bool blocks = std::string_view(action) == "block";
    CLI::App& changing = add(accounts, action,
                             blocks ? "Refuses logins; what was handed out ends within 15 minutes"
                                    : "Takes logins again",
                             changed);
    changing.add_option("HANDLE", changed->handle)->required();
    changing.callback([changed, action, &command] {
      command = [changed, action](World& world) {
        return run_change(*changed, std::string("/") + action, world);
      };
    });
  }
  const auto invited = std::make_shared<AccountArguments>();
  add(accounts, "invite", "Makes a code that is good for one sign-up, and prints it", invited)
      .callback([invited, &command] {
        command = [invited](World& world) { return run_invite(*invited, world); };
      });
}

}  // namespace cairn::cli
