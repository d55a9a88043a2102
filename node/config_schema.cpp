#include "node/config_schema.h"

#include <algorithm>
#include <array>

#include "node/config_text.h"

namespace cairn {
namespace {

constexpr std::uint64_t kHourMs = 3'600'000;

constexpr std::array kNodeKeys{
    KeySpec{"node", "name", Kind::text, [](Config& c, At) -> FieldRef { return &c.node.name; },
            "Name of this node; the data directory remembers it and opens for no other."},
    KeySpec{.section = "node",
            .name = "roles",
            .kind = Kind::choices_list,
            .field = [](Config& c, At) -> FieldRef { return &c.node.roles; },
            .words = "What this node does: answers visitors, keeps blocks, or both.",
            .choices = "interface|storage",
            .later = true},
    KeySpec{"node", "data_dir", Kind::path,
            [](Config& c, At) -> FieldRef { return &c.node.data_dir; },
            "Directory of everything durable; made with mode 0700 at the first start."},
    KeySpec{.section = "node",
            .name = "threads",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.node.threads; },
            .words = "Threads that serve connections; 0 means one a core.",
            .most = 256},
};

constexpr std::array kListenKeys{
    KeySpec{"listen", "http", Kind::addresses,
            [](Config& c, At) -> FieldRef { return &c.listen.http; },
            "Addresses for plain HTTP; port 0 lets the system choose."},
    KeySpec{.section = "listen",
            .name = "https",
            .kind = Kind::addresses,
            .field = [](Config& c, At) -> FieldRef { return &c.listen.https; },
            .words = "Addresses for HTTPS.",
            .later = true},
    KeySpec{.section = "listen",
            .name = "tls_certificate",
            .kind = Kind::path,
            .field = [](Config& c, At) -> FieldRef { return &c.listen.tls_certificate; },
            .words = "PEM file with the certificate chain for HTTPS.",
            .later = true},
    KeySpec{.section = "listen",
            .name = "tls_key_file",
            .kind = Kind::secret_file,
            .field = [](Config& c, At) -> FieldRef { return &c.listen.tls_key_file; },
            .words = "PEM file with the private key for HTTPS; readable by its owner alone.",
            .later = true},
    KeySpec{
        "listen", "admin", Kind::address, [](Config& c, At) -> FieldRef { return &c.listen.admin; },
        "Address of the operator's listener (health, metrics, admin calls); empty turns it off."},
    KeySpec{
        "listen", "admin_allow_remote", Kind::boolean,
        [](Config& c, At) -> FieldRef { return &c.listen.admin_allow_remote; },
        "Lets listen.admin be an address that other machines can reach. It asks for no password."},
    KeySpec{.section = "listen",
            .name = "peer",
            .kind = Kind::address,
            .field = [](Config& c, At) -> FieldRef { return &c.listen.peer; },
            .words = "Address for the other nodes of the cluster.",
            .later = true},
};

constexpr std::array kSiteKeys{
    KeySpec{"site", "hosts", Kind::hosts,
            [](Config& c, At at) -> FieldRef { return &c.sites[at.site].hosts; },
            "Host names that this site answers to; \"*\" answers to any other name."},
    KeySpec{"site", "root", Kind::path,
            [](Config& c, At at) -> FieldRef { return &c.sites[at.site].root; },
            "Directory of the site's static files; empty serves the API alone."},
    KeySpec{"site", "index", Kind::texts,
            [](Config& c, At at) -> FieldRef { return &c.sites[at.site].index; },
            "File names that stand for a directory, in the order tried."},
    KeySpec{"site", "spa", Kind::boolean,
            [](Config& c, At at) -> FieldRef { return &c.sites[at.site].spa; },
            "Answers unknown paths without a file extension with the root's index file."},
    KeySpec{"site", "headers", Kind::headers,
            [](Config& c, At at) -> FieldRef { return &c.sites[at.site].headers; },
            "Fields for every static answer, each \"Name: value\"; a default field of that name is "
            "replaced (docs/operations.md, \"A site's security fields\")."},
    KeySpec{"site", "cors", Kind::origins,
            [](Config& c, At at) -> FieldRef { return &c.sites[at.site].cors; },
            "Origins beside the site's own whose pages may call the API; \"*\" allows any."},
    KeySpec{.section = "site",
            .name = "write",
            .kind = Kind::choice,
            .field = [](Config& c, At at) -> FieldRef { return &c.sites[at.site].write; },
            .words = "Who may put blocks and write chains: everybody, whoever has logged in, or "
                     "nobody, which is right for a site of files alone.",
            .choices = "anyone|accounts|nobody"},
    KeySpec{.section = "site",
            .name = "signup",
            .kind = Kind::choice,
            .field = [](Config& c, At at) -> FieldRef { return &c.sites[at.site].signup; },
            .words = "Who may make an account: everybody, whoever has an invite (cairn account "
                     "invite), or nobody. A site's accounts belong to its first host.",
            .choices = "open|invite|closed"},
    KeySpec{.section = "site.proxy",
            .name = "path",
            .kind = Kind::text,
            .field = [](Config& c, At at) -> FieldRef {
              return &c.sites[at.site].proxies[at.proxy].path;
            },
            .words = "Path prefix that is forwarded.",
            .later = true},
    KeySpec{.section = "site.proxy",
            .name = "upstreams",
            .kind = Kind::origins,
            .field = [](Config& c, At at) -> FieldRef {
              return &c.sites[at.site].proxies[at.proxy].upstreams;
            },
            .words = "Where to, each http://host:port.",
            .later = true},
};

constexpr KeySpec timeout(std::string_view name, FieldRef (*field)(Config&, At),
                          std::string_view words) {
  return {.section = "limits",
          .name = name,
          .kind = Kind::count,
          .field = field,
          .words = words,
          .least = 10,
          .most = kHourMs};
}

constexpr std::array kLimitKeys{
    KeySpec{.section = "limits",
            .name = "block_bytes",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.block_bytes; },
            .words = "Largest block.",
            .least = kKiB,
            .most = kMaxBlockBytes},
    KeySpec{.section = "limits",
            .name = "account_calls_per_client",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.account_calls_per_client; },
            .words = "Sign-ups, challenges and logins a minute from one address (IPv6: one /64); 0 "
                     "for no limit.",
            .most = 1'000'000},
    KeySpec{.section = "limits",
            .name = "account_calls_per_handle",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.account_calls_per_handle; },
            .words = "The same for one handle, from wherever; 0 for no limit.",
            .most = 1'000'000},
    KeySpec{.section = "limits",
            .name = "header_bytes",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.header_bytes; },
            .words = "Largest request head.",
            .least = kKiB,
            .most = kMiB},
    KeySpec{.section = "limits",
            .name = "headers",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.headers; },
            .words = "Most header fields of a request.",
            .least = 8,
            .most = 1000},
    KeySpec{.section = "limits",
            .name = "connections",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.connections; },
            .words = "Most client connections at once; for one more the longest idle is closed, or "
                     "else it is answered 503.",
            .least = 1,
            .most = 1'000'000},
    KeySpec{.section = "limits",
            .name = "connections_per_client",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.connections_per_client; },
            .words = "Most connections of one client address; 0 sets no limit of its own.",
            .most = 1'000'000},
    KeySpec{.section = "limits",
            .name = "upload_bytes",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.upload_bytes; },
            .words = "Memory for request bodies of all clients together; beyond it 503.",
            .least = kMiB,
            .most = std::uint64_t{1} << 40},
    KeySpec{.section = "limits",
            .name = "answer_bytes",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.limits.answer_bytes; },
            .words = "Memory for answers that wait for slow clients; beyond it the client that has "
                     "taken nothing for longest is cut off.",
            .least = 8 * kMiB,
            .most = std::uint64_t{1} << 40},
    timeout(
        "head_timeout_ms", [](Config& c, At) -> FieldRef { return &c.limits.head_timeout_ms; },
        "How long a request head may take to arrive; the first, from the connection's start."),
    timeout(
        "body_timeout_ms", [](Config& c, At) -> FieldRef { return &c.limits.body_timeout_ms; },
        "How long a request body may stand still."),
    timeout(
        "write_timeout_ms", [](Config& c, At) -> FieldRef { return &c.limits.write_timeout_ms; },
        "How long a client may take nothing of an answer."),
    timeout(
        "idle_timeout_ms", [](Config& c, At) -> FieldRef { return &c.limits.idle_timeout_ms; },
        "How long a connection may stay open between requests."),
    timeout(
        "request_timeout_ms",
        [](Config& c, At) -> FieldRef { return &c.limits.request_timeout_ms; },
        "How long the stores may take for one answer; beyond it 503."),
    timeout(
        "drain_timeout_ms", [](Config& c, At) -> FieldRef { return &c.limits.drain_timeout_ms; },
        "How long requests under way may take to finish at the end."),
};

constexpr std::array kStoreKeys{
    KeySpec{.section = "cache",
            .name = "memory",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.cache.memory_bytes; },
            .words = "Memory for blocks, all overhead counted.",
            .most = std::uint64_t{1} << 44},
    KeySpec{.section = "cache",
            .name = "disk",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.cache.disk_bytes; },
            .words = "Disk for the second cache tier; 0 turns it off.",
            .most = std::uint64_t{1} << 50,
            .later = true},
    KeySpec{.section = "cache",
            .name = "disk_dir",
            .kind = Kind::path,
            .field = [](Config& c, At) -> FieldRef { return &c.cache.disk_dir; },
            .words = "Directory of the second cache tier.",
            .later = true},
    KeySpec{.section = "cache",
            .name = "policy",
            .kind = Kind::choice,
            .field = [](Config& c, At) -> FieldRef { return &c.cache.policy; },
            .words = "What leaves the cache first.",
            .choices = "lru|s3-fifo"},
    KeySpec{"storage", "sync", Kind::boolean,
            [](Config& c, At) -> FieldRef { return &c.storage.sync; },
            "Acknowledge a write only when it is on the disk. false loses writes on power loss."},
    KeySpec{"storage", "reserve", Kind::share,
            [](Config& c, At) -> FieldRef { return &c.storage.reserve; },
            "Free disk to keep, in bytes or percent; writes are refused with 507 below it."},
    KeySpec{.section = "storage",
            .name = "scrub_rate",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.storage.scrub_rate_bytes; },
            .words = "Bytes a second that the background scrub reads and checks; 0 turns it off.",
            .most = std::uint64_t{1} << 40},
    KeySpec{.section = "storage",
            .name = "pool_threads",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.storage.pool_threads; },
            .words = "Threads for blocking reads.",
            .least = 1,
            .most = 256},
    KeySpec{.section = "storage",
            .name = "grace_s",
            .kind = Kind::count,
            .field = [](Config& c, At) -> FieldRef { return &c.storage.grace_s; },
            .words = "Seconds for which a block stays, after its last put, that no link of a chain "
                     "refers to; 0 keeps such blocks for ever.",
            .most = std::uint64_t{10} * 365 * 24 * 3600},
    KeySpec{.section = "static",
            .name = "memory",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.static_files.memory_bytes; },
            .words = "Memory for static files, all sites together.",
            .most = std::uint64_t{1} << 40},
    KeySpec{.section = "static",
            .name = "send_memory",
            .kind = Kind::bytes,
            .field = [](Config& c, At) -> FieldRef { return &c.static_files.send_memory_bytes; },
            .words = "Memory for large files on their way to all clients; beyond it 503.",
            .least = kMiB,
            .most = std::uint64_t{1} << 40},
};

constexpr std::array kOtherKeys{
    KeySpec{.section = "log",
            .name = "level",
            .kind = Kind::choice,
            .field = [](Config& c, At) -> FieldRef { return &c.log.level; },
            .words = "Least important event that is written.",
            .choices = "debug|info|warn|error"},
    KeySpec{"log", "events", Kind::path, [](Config& c, At) -> FieldRef { return &c.log.events; },
            "Where events go: \"stderr\", \"stdout\" or a file."},
    KeySpec{"log", "access", Kind::path, [](Config& c, At) -> FieldRef { return &c.log.access; },
            "Where a line for each request goes: \"off\", \"stdout\" or a file."},
    KeySpec{.section = "cluster",
            .name = "name",
            .kind = Kind::text,
            .field = [](Config& c, At) -> FieldRef { return &c.cluster.name; },
            .words = "Name of the cluster that this node belongs to.",
            .later = true},
    KeySpec{.section = "cluster",
            .name = "coordinator",
            .kind = Kind::choice,
            .field = [](Config& c, At) -> FieldRef { return &c.cluster.coordinator; },
            .words = "Where the layout and the epochs are kept.",
            .choices = "embedded|etcd",
            .later = true},
    KeySpec{.section = "cluster",
            .name = "etcd",
            .kind = Kind::origins,
            .field = [](Config& c, At) -> FieldRef { return &c.cluster.etcd; },
            .words = "Addresses of the etcd servers.",
            .later = true},
    KeySpec{.section = "cluster",
            .name = "join",
            .kind = Kind::texts,
            .field = [](Config& c, At) -> FieldRef { return &c.cluster.join; },
            .words = "Peer addresses (host:port) of nodes that are in the cluster already.",
            .later = true},
    KeySpec{"cluster", "placement_seed_file", Kind::secret_file,
            [](Config& c, At) -> FieldRef { return &c.cluster.placement_seed_file; },
            "File with the placement seed (16 hexadecimal digits), readable by its owner alone; "
            "empty makes one at the first start and keeps it in node.data_dir."},
};

constexpr std::array<std::string_view, 10> kSections{"node",   "listen", "site",    "site.proxy",
                                                     "limits", "cache",  "storage", "static",
                                                     "log",    "cluster"};

constexpr auto kKeys = [] {
  std::array<KeySpec, kNodeKeys.size() + kListenKeys.size() + kSiteKeys.size() + kLimitKeys.size() +
                          kStoreKeys.size() + kOtherKeys.size()>
      all{};
  auto out = std::copy(kNodeKeys.begin(), kNodeKeys.end(), all.begin());
  out = std::copy(kListenKeys.begin(), kListenKeys.end(), out);
  out = std::copy(kSiteKeys.begin(), kSiteKeys.end(), out);
  out = std::copy(kLimitKeys.begin(), kLimitKeys.end(), out);
  out = std::copy(kStoreKeys.begin(), kStoreKeys.end(), out);
  std::copy(kOtherKeys.begin(), kOtherKeys.end(), out);
  return all;
}();

void append_toml_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

std::span<const KeySpec> config_keys() {
  return kKeys;
}

std::span<const std::string_view> config_sections() {
  return kSections;
}

const KeySpec* find_key(std::string_view section, std::string_view name) {
  for (const KeySpec& spec : kKeys) {
    if (spec.section == section && spec.name == name) return &spec;
  }
  return nullptr;
}

std::string value_text(const KeySpec& spec, FieldRef field) {
  std::string out;
  if (auto** text = std::get_if<std::string*>(&field)) {
    append_toml_string(out, **text);
  } else if (auto** list = std::get_if<std::vector<std::string>*>(&field)) {
    out += '[';
    for (const std::string& item : **list) {
      if (out.size() > 1) out += ", ";
      append_toml_string(out, item);
    }
    out += ']';
  } else if (auto** flag = std::get_if<bool*>(&field)) {
    out = **flag ? "true" : "false";
  } else if (auto** share = std::get_if<DiskShare*>(&field)) {
    append_toml_string(out, disk_share_text(**share));
  } else {
    const std::uint64_t number = *std::get<std::uint64_t*>(field);
    if (spec.kind == Kind::bytes) {
      append_toml_string(out, byte_size_text(number));
    } else {
      out = std::to_string(number);
    }
  }
  return out;
}

std::string key_text(const KeySpec& spec, At at) {
  std::string out(spec.section);
  if (spec.section == "site") {
    out = "site[" + std::to_string(at.site) + "]";
  } else if (spec.section == "site.proxy") {
    out = "site[" + std::to_string(at.site) + "].proxy[" + std::to_string(at.proxy) + "]";
  }
  return out + "." + std::string(spec.name);
}

std::string kind_text(const KeySpec& spec) {
  const auto range = [&](const auto& show) {
    return show(spec.least) + " to " + (spec.most == 0 ? "9223372036854775807" : show(spec.most));
  };
  switch (spec.kind) {
    case Kind::text: return "text";
    case Kind::path:
    case Kind::secret_file: return "a path";
    case Kind::boolean: return "true or false";
    case Kind::count:
      return "a whole number, " + range([](std::uint64_t n) { return std::to_string(n); });
    case Kind::bytes: return "a byte size such as \"256MiB\", " + range(byte_size_text);
    case Kind::share: return "a byte size or a percentage such as \"5%\"";
    case Kind::address: return "an address such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
    case Kind::texts: return "a list of texts";
    case Kind::addresses: return "a list of addresses such as \"127.0.0.1:8080\"";
    case Kind::origins: return "a list of origins such as \"http://127.0.0.1:3000\"";
    case Kind::headers: return "a list of fields such as \"X-Robots-Tag: noindex\"";
    case Kind::hosts: return "a list of host names, without ports";
    case Kind::choice:
    case Kind::choices_list: break;
  }
  std::string out = spec.kind == Kind::choice ? "one of \"" : "a list of \"";
  for (const char c : spec.choices) {
    if (c == '|') {
      out += "\", \"";
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace cairn
