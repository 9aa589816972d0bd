#include <functional>
#include <vector>

#include "cli/shell/manual.h"

namespace snapfreeze::cli {
namespace {

// An option with all its names, and its set of values if it has one.
struct Flag {
  std::vector<std::string> short_names;
  std::vector<std::string> long_names;
  std::string values;  // apart by spaces
  std::string help;
};

struct Place {
  std::string path;  // "certs show"; "" for the program itself
  std::string help;
  std::vector<std::string> commands;
  std::vector<Flag> flags;
};

// CLI11 keeps a set of values in the name of the option's type: "TEXT:{json,yaml}".
std::string values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find('{');
  const auto end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return "";
  std::string values = type.substr(begin + 1, end - begin - 1);
  for (char& character : values) character = character == ',' ? ' ' : character;
  return values;
}

void walk(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  Place place{path, app.get_description(), {}, {}};
  for (const CLI::Option* const option : app.get_options()) {
    if (option->get_positional() && option->get_lnames().empty()) {
      place.flags.push_back({{}, {}, values_of(*option), ""});
      continue;
    }
    place.flags.push_back({option->get_snames(), option->get_lnames(), values_of(*option), option->get_description()});
  }
  std::vector<const CLI::App*> below;
  for (const CLI::App* const command : app.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    place.commands.push_back(command->get_name());
    below.push_back(command);
  }
  places.push_back(std::move(place));
  for (const CLI::App* const command : below) {
    walk(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), places);
  }
}

std::string last_word(const std::string& path) {
  return path.substr(path.rfind(' ') + 1);
}

std::string before_last(const std::string& path) {
  const auto space = path.rfind(' ');
  return space == std::string::npos ? "" : path.substr(0, space);
}

std::string words_of(const Place& place) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  for (const std::string& command : place.commands) add(command);
  for (const Flag& flag : place.flags) {
    for (const std::string& name : flag.long_names) add("--" + name);
    for (const std::string& name : flag.short_names) add("-" + name);
    if (flag.long_names.empty() && flag.short_names.empty() && !flag.values.empty()) add(flag.values);
  }
  return words;
}

// bash and zsh differ only in how they read the words and offer the completions.
std::string cases(const std::vector<Place>& places, const std::string& words, const std::string& previous,
                  const std::function<std::string(const std::string&)>& offer) {
  std::string text = "  local place= word\n  for word in " + words + "; do\n    case \"$place/$word\" in\n";
  for (const Place& place : places) {
    if (place.path.empty()) continue;
    text +=
        "      \"" + before_last(place.path) + "/" + last_word(place.path) + "\") place=\"" + place.path + "\" ;;\n";
  }
  text += "    esac\n  done\n  case \"$place/" + previous + "\" in\n";
  for (const Place& place : places) {
    for (const Flag& flag : place.flags) {
      if (flag.values.empty()) continue;
      std::string patterns;
      const auto add = [&](const std::string& name) {
        patterns += (patterns.empty() ? "\"" : "|\"") + place.path + "/" + name + "\"";
      };
      for (const std::string& name : flag.long_names) add("--" + name);
      for (const std::string& name : flag.short_names) add("-" + name);
      if (!patterns.empty()) text += "    " + patterns + ") " + offer(flag.values) + "; return ;;\n";
    }
  }
  text += "  esac\n  case \"$place\" in\n";
  for (const Place& place : places) text += "    \"" + place.path + "\") " + offer(words_of(place)) + " ;;\n";
  return text + "  esac\n";
}

std::string for_bash(const std::vector<Place>& places) {
  const auto offer = [](const std::string& words) {
    return "COMPREPLY=($(compgen -W \"" + words + "\" -- \"${COMP_WORDS[COMP_CWORD]}\"))";
  };
  return "# bash completion of snapfreeze; source it, or put it into /usr/share/bash-completion/completions\n"
         "_snapfreeze() {\n" +
         cases(places, "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"", "${COMP_WORDS[COMP_CWORD-1]}", offer) +
         "}\ncomplete -o default -F _snapfreeze snapfreeze kubectl-snapfreeze\n";
}

std::string for_zsh(const std::vector<Place>& places) {
  const auto offer = [](const std::string& words) { return "compadd -- " + words; };
  return "#compdef snapfreeze kubectl-snapfreeze\n# zsh completion of snapfreeze; source it, or put it as _snapfreeze "
         "into a folder of $fpath\n_snapfreeze() {\n" +
         cases(places, "\"${(@)words[2,CURRENT-1]}\"", "${words[CURRENT-1]}", offer) +
         "}\nif [ \"$funcstack[1]\" = _snapfreeze ]; then\n  _snapfreeze \"$@\"\nelse\n"
         "  compdef _snapfreeze snapfreeze kubectl-snapfreeze\nfi\n";
}

// fish knows two escapes in single quotes.
std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char character : text) {
    if (character == '\'' || character == '\\') quoted += '\\';
    quoted += character;
  }
  return quoted + "'";
}

std::string for_fish(const std::vector<Place>& places) {
  std::string text =
      "# fish completion of snapfreeze; put it as snapfreeze.fish into ~/.config/fish/completions\n"
      "complete -c snapfreeze -f\n";
  const auto condition = [](const std::string& path) {
    if (path.empty()) return std::string("__fish_use_subcommand");
    const std::string first = path.substr(0, path.find(' '));
    const std::string seen = "__fish_seen_subcommand_from ";
    return seen + first + (first == path ? "" : "; and " + seen + last_word(path));
  };
  for (const Place& place : places) {
    const std::string when = "complete -c snapfreeze -n " + fish_quoted(condition(place.path));
    if (!place.path.empty()) {
      text += "complete -c snapfreeze -n " + fish_quoted(condition(before_last(place.path))) + " -a " +
              last_word(place.path) + " -d " + fish_quoted(place.help) + "\n";
    }
    for (const Flag& flag : place.flags) {
      std::string line = when;
      for (const std::string& name : flag.long_names) line += " -l " + name;
      for (const std::string& name : flag.short_names) line += " -s " + name;
      if (!flag.values.empty()) line += " -x -a " + fish_quoted(flag.values);
      if (!flag.help.empty()) line += " -d " + fish_quoted(flag.help);
      if (line != when) text += line + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& program, const std::string& shell) {
  std::vector<Place> places;
  walk(program, "", places);
  return shell == "bash" ? for_bash(places) : shell == "zsh" ? for_zsh(places) : for_fish(places);
}

}  // namespace snapfreeze::cli
