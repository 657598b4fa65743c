/* Fuzzes TCP options: any 0 to 40 octets are stepped through, read, written as text, and put together again as they were.
 *
 * A crash, or octets that come back changed, means that options of whatever a stack sends are read where there are none, or
 * misread. */
#include "engine/packet/packet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void put_again(const struct pkt_option *option, struct pkt_option_buffer *out)
{
    if (option->kind == PKT_OPT_NOP)
        pkt_put_nop(out);
    else if (option->kind == PKT_OPT_EOL)
        pkt_put_eol(out);
    else
        pkt_put_raw_option(out, option->kind, option->len, option->data, option->data_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t len = (uint8_t)(size < PKT_TCP_OPTIONS_MAX ? size : PKT_TCP_OPTIONS_MAX), cursor = 0;
    struct pkt_option_buffer again = { 0 };
    enum pkt_option_status status;
    struct pkt_option option;
    struct pkt_options meaning;
    char text[64];

    while ((status = pkt_option_next(data, len, &cursor, &option)) == PKT_OPTION_OK)
        put_again(&option, &again);
    require(!again.overflow && again.len <= len && memcmp(again.bytes, data, again.len) == 0);
    require(status != PKT_OPTION_END || cursor == len);
    pkt_options_read(data, len, &meaning);
    require(meaning.illegal == (status == PKT_OPTION_ILLEGAL) && meaning.unknown_count <= len);
    require(pkt_format_options(data, len, text, sizeof text) >= 0 && memchr(text, '\0', sizeof text) != NULL);
    pkt_pad_options(&again);
    require(again.len % 4 == 0 && again.len <= PKT_TCP_OPTIONS_MAX);
    return 0;
}
