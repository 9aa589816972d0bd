// Only in a program without shared libraries, which runs on machines that nobody knows. Before main.
#include <netdb.h>
#include <nss.h>
#include <unistd.h>

#include <cstdlib>

namespace {

// Where distributions keep the CA certificates that they trust; OpenSSL knows of Debian's place only. As Go has them
// (crypto/x509, root_linux.go).
constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/var/lib/ca-certificates/ca-bundle.pem",             // SUSE, and with it Harvester
    "/etc/ssl/ca-bundle.pem",                             // older SUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // CentOS
    "/etc/ssl/cert.pem",                                  // Alpine
};

[[gnu::constructor]] void be_at_home_anywhere() {
  // Other sources of names are shared libraries of the machine's own C library, which is seldom the one linked here.
  __nss_configure_lookup("hosts", "files dns");
  for (const char* bundle : kBundles) {
    if (access(bundle, R_OK) != 0) continue;
    // What the user says counts.
    setenv("SSL_CERT_FILE", bundle, 0);
    return;
  }
}

}  // namespace
