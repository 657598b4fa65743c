/* Key files of agent and tester: 64 hexadecimal digits on a line. */
#include "targets/agent/key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 2 * AGENT_KEY_BYTES };

static bool fail(struct target_error *error, const char *path, const char *why)
{
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "key file %.200s: %s", path, why);
    return false;
}

static bool parse(const char *text, size_t len, uint8_t out[static AGENT_KEY_BYTES])
{
    size_t taken = 0;
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    return len == DIGITS && sodium_hex2bin(out, AGENT_KEY_BYTES, text, len, NULL, &taken, NULL) == 0 && taken == AGENT_KEY_BYTES &&
           !sodium_is_zero(out, AGENT_KEY_BYTES);
}

bool agent_key_read(const char *path, uint8_t out[static AGENT_KEY_BYTES], struct target_error *error)
{
    char text[DIGITS + 3]; /* one more than may be there */
    struct stat status;
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail(error, path, strerror(errno));
    ssize_t len = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? read(fd, text, sizeof text) : -1;
    close(fd);
    if (len < 0)
        return fail(error, path, "cannot be read");
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return fail(error, path, "others than its owner may read or write it: chmod 600");
    bool parsed = parse(text, (size_t)len, out);
    sodium_memzero(text, sizeof text);
    return parsed ||
           fail(error, path, "is no key: make one with `tcpassay agent --make-key FILE`, and give agent and tester the same");
}

bool agent_key_make(const char *path, struct target_error *error)
{
    uint8_t key[AGENT_KEY_BYTES];
    char text[DIGITS + 1];
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (sodium_init() < 0)
        return fail(error, path, "no random numbers can be had");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0)
        return fail(error, path, strerror(errno));
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(text, sizeof text, key, sizeof key);
    text[DIGITS] = '\n';
    bool written = write(fd, text, sizeof text) == (ssize_t)sizeof text;
    written &= close(fd) == 0;
    sodium_memzero(key, sizeof key);
    sodium_memzero(text, sizeof text);
    if (written)
        return true;
    unlink(path);
    return fail(error, path, "could not be written: is the disk full?");
}
