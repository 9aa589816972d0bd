#include "cli/shell/manual.h"

#include <sstream>
#include <vector>

namespace snapfreeze::cli {
namespace {

// In roff a backslash begins a command, a dash is a hyphen, and so is a line that begins with a dot or a quote.
std::string roff(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char character : text) {
    if (line_begins && (character == '.' || character == '\'')) out += "\\&";
    if (character == '\\') {
      out += "\\e";
    } else if (character == '-') {
      out += "\\-";
    } else {
      out += character;
    }
    line_begins = character == '\n';
  }
  return out;
}

void add_option(std::string& page, const CLI::Option& option) {
  page += ".TP\n.B " + roff(option.get_name(false, true)) + "\n";
  page += roff(option.get_description()) + ".";
  const std::string value = option.get_default_str();
  if (!value.empty()) page += " By default " + roff(value) + ".";
  if (!option.get_envname().empty()) page += " Environment: " + roff(option.get_envname()) + ".";
  page += "\n";
}

// Indented lines are examples and stay as they are. Other lines are filled.
void add_notes(std::string& page, const std::string& notes) {
  std::istringstream lines(notes);
  bool example = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with("    ");
    if (indented != example) page += indented ? ".nf\n" : ".fi\n";
    if (!indented && (line.empty() || line.starts_with("  "))) page += ".PP\n";
    if (!line.empty()) page += roff(indented ? line : line.substr(line.find_first_not_of(' '))) + "\n";
    example = indented;
  }
  if (example) page += ".fi\n";
}

void add_command(std::string& page, const CLI::App& command, const std::string& name) {
  page += ".SS " + roff(name) + "\n" + roff(command.get_description()) + ".\n";
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_name(false, true) != "-h,--help") add_option(page, *option);
  }
  if (!command.get_footer().empty()) {
    page += ".PP\n";
    add_notes(page, command.get_footer());
  }
  for (const CLI::App* const one : command.get_subcommands({})) {
    add_command(page, *one, name + " " + one->get_name());
  }
}

}  // namespace

std::string manual_page(const CLI::App& program, const std::string& version) {
  std::string page = ".TH SNAPFREEZE 1 \"\" \"snapfreeze " + roff(version) + "\"\n";
  page += ".SH NAME\nsnapfreeze \\- consistent VM backups for Harvester and KubeVirt\n";
  page += ".SH SYNOPSIS\n.B snapfreeze\n.I command\n[options]\n.br\n.B kubectl snapfreeze\n.I command\n[options]\n";
  page += ".SH DESCRIPTION\n" + roff(program.get_description()) + "\n.PP\n";
  add_notes(page, program.get_footer());
  page += ".SH COMMANDS\n";
  for (const CLI::App* const command : program.get_subcommands({})) {
    if (!command->get_group().empty()) add_command(page, *command, command->get_name());
  }
  return page;
}

}  // namespace snapfreeze::cli
