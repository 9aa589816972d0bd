// The load: writer A-DIR B-DIR C-DIR
// Two streams of numbered, checksummed records, each record written to A, then B, then C: `sync` with an fsync after
// each write, `lazy` without; and on each disk small files that come and go. Starts afresh each time: records carry the
// number of the run, so that a disk from before a reboot never looks like one from after it.
//
// A record, little-endian (read by oracle.py): magic "SFRZ", u32 length of all, u64 run, u64 number from 0, payload,
// u32 CRC-32 (zlib's) of all before it. A stream is cut into segments `sync.<n>`, of which the last few are kept.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kDisks = 3, kHeader = 24, kMaxRecord = 8192, kSegmentRecords = 64, kSegmentsKept = 3, kChurnSlots = 64 };

static uint32_t crc_table[256];

static void make_crc_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    crc_table[byte] = crc;
  }
}

static uint32_t crc32_of(const unsigned char* data, size_t length) {
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < length; i++) crc = (crc >> 8) ^ crc_table[(crc ^ data[i]) & 0xFF];
  return ~crc;
}

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void nap(long microseconds) {
  const struct timespec time = {0, microseconds * 1000};
  nanosleep(&time, NULL);
}

static size_t make_record(unsigned char* record, uint64_t run, uint64_t number, uint32_t largest) {
  // Lengths vary, so that records straddle blocks and a lost block tears one.
  uint64_t noise = (number + 1) * 0x9E3779B97F4A7C15u;
  const uint32_t length = 64 + (uint32_t)((noise >> 32) % (largest - 64));
  memcpy(record, "SFRZ", 4);
  memcpy(record + 4, &length, 4);
  memcpy(record + 8, &run, 8);
  memcpy(record + 16, &number, 8);
  for (uint32_t i = kHeader; i < length - 4; i++) {
    noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
    record[i] = (unsigned char)noise;
  }
  const uint32_t crc = crc32_of(record, length - 4);
  memcpy(record + length - 4, &crc, 4);
  return length;
}

static void write_whole(int file, const unsigned char* record, size_t length) {
  // One write: a freeze lets it finish or keeps it out, it never comes in between.
  if (write(file, record, length) != (ssize_t)length) die("write");
}

static void stream(char** folders, const char* name, uint64_t run, int with_fsync) {
  unsigned char record[kMaxRecord];
  int files[kDisks] = {-1, -1, -1};
  char path[512];
  for (uint64_t number = 0;; number++) {
    const uint64_t segment = number / kSegmentRecords;
    const size_t length = make_record(record, run, number, 2048);
    for (int disk = 0; disk < kDisks; disk++) {
      if (number % kSegmentRecords == 0) {
        if (files[disk] >= 0) close(files[disk]);
        snprintf(path, sizeof path, "%s/%s.%llu", folders[disk], name, (unsigned long long)segment);
        files[disk] = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
        if (files[disk] < 0) die(path);
        if (segment >= kSegmentsKept) {
          snprintf(path, sizeof path, "%s/%s.%llu", folders[disk], name, (unsigned long long)(segment - kSegmentsKept));
          unlink(path);
        }
      }
      write_whole(files[disk], record, length);
      if (with_fsync && fdatasync(files[disk]) != 0) die("fdatasync");
    }
    nap(with_fsync ? 500 : 3000);
  }
}

static void churn(const char* folder, uint64_t run) {
  unsigned char record[kMaxRecord];
  char draft[512], final[512];
  snprintf(draft, sizeof draft, "%s/churn", folder);
  if (mkdir(draft, 0755) != 0) die(draft);
  snprintf(draft, sizeof draft, "%s/churn/draft", folder);
  for (uint64_t number = 0;; number++) {
    const size_t length = make_record(record, run, number, kMaxRecord);
    const int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) die(draft);
    write_whole(file, record, length);
    close(file);
    // The slot is emptied first: a rename over an existing file would make ext4 write the data out at once.
    snprintf(final, sizeof final, "%s/churn/%llu", folder, (unsigned long long)(number % kChurnSlots));
    unlink(final);
    if (rename(draft, final) != 0) die(final);
    nap(10000);
  }
}

int main(int argc, char** argv) {
  if (argc != 1 + kDisks) {
    fprintf(stderr, "usage: writer A-DIR B-DIR C-DIR (folders that are not there yet)\n");
    return 2;
  }
  make_crc_table();
  const uint64_t run = ((uint64_t)time(NULL) << 20) ^ (uint64_t)getpid();
  for (int disk = 0; disk < kDisks; disk++)
    if (mkdir(argv[1 + disk], 0755) != 0) die(argv[1 + disk]);
  if (fork() == 0) stream(argv + 1, "sync", run, 1);
  if (fork() == 0) stream(argv + 1, "lazy", run, 0);
  for (int disk = 0; disk < kDisks - 1; disk++)
    if (fork() == 0) churn(argv[1 + disk], run);
  churn(argv[kDisks], run);
}
