/* Records packets to a pcap file. */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_RECORDER_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recorder;
/* NULL with the reason in error. */
struct recorder *recorder_new(const char *path, char *error, size_t error_size);
/* Stamped with the wall clock. After a failure (a full disk) the rest is not recorded. NULL records nothing. */
void recorder_put(struct recorder *r, const uint8_t *bytes, size_t len);
/* Closes the file; false when not everything could be written. NULL is fine. */
bool recorder_free(struct recorder *r);

#endif
