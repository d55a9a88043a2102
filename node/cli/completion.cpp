#include "node/cli/completion.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string_view>
#include <vector>

namespace cairn::cli {
namespace {

/// One command of the tree with what may follow it.
struct Node {
  std::string path;  ///< "cairn block put"
  std::vector<const CLI::App*> commands;
  std::vector<const CLI::Option*> options;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& out) {
  Node node{path, {}, {}};
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    node.commands.push_back(sub);
  }
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_lnames().empty()) node.options.push_back(option);
  }
  out.push_back(node);
  for (const CLI::App* sub : node.commands) collect(*sub, path + " " + sub->get_name(), out);
}

std::vector<Node> tree_of(const CLI::App& app) {
  std::vector<Node> out;
  collect(app, "cairn", out);
  return out;
}

bool takes_value(const CLI::Option& option) {
  return option.get_expected_min() > 0;
}

/// Between single quotes, for any of the shells.
std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string words_of(const Node& node) {
  std::string out;
  const auto add = [&out](const std::string& word) { out += out.empty() ? word : " " + word; };
  for (const CLI::App* sub : node.commands) add(sub->get_name());
  for (const CLI::Option* option : node.options) add("--" + option->get_lnames().front());
  return out;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string out =
      "# bash completion for cairn; load with: source <(cairn completion bash)\n"
      "_cairn() {\n"
      "  local word path=cairn words\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n";
  const std::vector<Node> tree = tree_of(app);
  for (const Node& node : tree) {
    if (node.path != "cairn")
      out += "      " + shell_word(node.path) + ") path=\"$path $word\" ;;\n";
  }
  out +=
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Node& node : tree) {
    const bool shells = node.path == "cairn completion";
    out += "    " + shell_word(node.path) +
           ") words=" + shell_word((shells ? "bash zsh fish " : "") + words_of(node)) + " ;;\n";
  }
  out +=
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "}\n"
      "complete -o default -F _cairn cairn\n";
  return out;
}

std::string zsh_completion(const CLI::App& app) {
  std::string out =
      "#compdef cairn\n"
      "# zsh completion for cairn; load with: source <(cairn completion zsh)\n"
      "_cairn() {\n"
      "  local word path_so_far=cairn\n"
      "  local -a entries\n"
      "  for word in \"${words[@]:1:$((CURRENT - 2))}\"; do\n"
      "    case \"$path_so_far $word\" in\n";
  const std::vector<Node> tree = tree_of(app);
  for (const Node& node : tree) {
    if (node.path != "cairn") {
      out += "      " + shell_word(node.path) + ") path_so_far=\"$path_so_far $word\" ;;\n";
    }
  }
  out +=
      "    esac\n"
      "  done\n"
      "  case \"$path_so_far\" in\n";
  const auto entry = [](const std::string& word, std::string about) {
    for (std::size_t at = 0; (at = about.find(':', at)) != std::string::npos; at += 2) {
      about.replace(at, 1, "\\:");
    }
    return " " + shell_word(word + ":" + about);
  };
  for (const Node& node : tree) {
    out += "    " + shell_word(node.path) + ") entries=(";
    for (const CLI::App* sub : node.commands) {
      out += entry(sub->get_name(), sub->get_description());
    }
    if (node.path == "cairn completion") out += " bash zsh fish";
    for (const CLI::Option* option : node.options) {
      out += entry("--" + option->get_lnames().front(), option->get_description());
    }
    out += ") ;;\n";
  }
  out +=
      "  esac\n"
      "  _describe 'cairn' entries\n"
      "  _files\n"
      "}\n"
      // As a file _cairn of the function path this is the function's body, run at the first TAB.
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
      "  _cairn \"$@\"\n"
      "else\n"
      "  compdef _cairn cairn\n"
      "fi\n";
  return out;
}

std::string fish_completion(const CLI::App& app) {
  std::string out = "# fish completion for cairn; load with: cairn completion fish | source\n";
  for (const Node& node : tree_of(app)) {
    // "cairn block put" -> every word behind the program has been seen.
    std::string seen;
    std::string_view rest = std::string_view(node.path).substr(5);
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::size_t space = std::min(rest.find(' '), rest.size());
      if (!seen.empty()) seen += "; and ";
      seen += "__fish_seen_subcommand_from " + std::string(rest.substr(0, space));
      rest.remove_prefix(space);
    }
    std::string names;
    for (const CLI::App* sub : node.commands) names += " " + sub->get_name();
    std::string when = seen.empty() ? "__fish_use_subcommand" : seen;
    std::string command_when = when;
    if (!seen.empty() && !names.empty()) {
      command_when += "; and not __fish_seen_subcommand_from" + names;
    }
    for (const CLI::App* sub : node.commands) {
      out += "complete -c cairn -f -n " + shell_word(command_when) + " -a " + sub->get_name() +
             " -d " + shell_word(sub->get_description()) + "\n";
    }
    for (const CLI::Option* option : node.options) {
      out += "complete -c cairn -n " + shell_word(when) + " -l " + option->get_lnames().front() +
             (takes_value(*option) ? " -r" : "") + " -d " + shell_word(option->get_description()) +
             "\n";
    }
    if (node.path == "cairn completion") {
      out += "complete -c cairn -f -n " + shell_word(when) + " -a 'bash zsh fish'\n";
    }
  }
  return out;
}

}  // namespace cairn::cli
