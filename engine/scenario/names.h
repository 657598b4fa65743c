/* The fixed words of the language, where they stand in tables: override keys, needs, profiles, IP fields, options, calls,
 * functions. */
#ifndef TCPASSAY_SCENARIO_NAMES_H
#define TCPASSAY_SCENARIO_NAMES_H

#include "engine/scenario/scenario.h"

/* SCN_KEY_COUNT: no such key. */
enum scn_key scn_key_from_name(const char *name);
/* "a number up to 255": for messages. */
const char *scn_key_expects(enum scn_key key);
/* The largest number it takes, or -1 where it takes none. */
int64_t scn_key_max(enum scn_key key);
bool scn_key_in_injection(enum scn_key key);
bool scn_key_in_expectation(enum scn_key key);

/* 0: no such need. */
unsigned scn_need_from_name(const char *name);
/* -1: no such profile. */
int scn_profile_from_name(const char *name);

/* "ect0" …; SCN_ECN_NONE_GIVEN: no such word. */
enum scn_ecn scn_ecn_from_name(const char *name);
const char *scn_ecn_name(enum scn_ecn ecn);

/* "drop" …; -1: no such event. */
int scn_link_event_from_name(const char *name);
const char *scn_link_event_name(enum scn_link_event event);

/* The words for did-you-mean. */
extern const char *const scn_ip_words[], *const scn_option_words[], *const scn_need_words[], *const scn_link_words[],
                                                                                                 *const scn_profile_words[];
extern const unsigned scn_ip_word_count, scn_option_word_count, scn_need_word_count, scn_link_word_count, scn_profile_word_count;

/* The name of a TCP option by its kind ("mss"), or NULL where it is written as kind N. */
const char *scn_option_name(uint8_t kind, bool experimental);

/* packetdrill's names of ICMP types and codes. */
bool scn_is_icmp_name(const char *name, bool code);
extern const char *const scn_icmp_words[];
extern const unsigned scn_icmp_word_count;

/* "ECONNREFUSED": an error name of Linux? */
bool scn_is_errno_name(const char *name);
extern const char *const scn_errno_words[]; /* the usual ones, for did-you-mean */
extern const unsigned scn_errno_word_count;

enum scn_call_support { SCN_CALL_UNKNOWN, SCN_CALL_PARSED_ONLY, SCN_CALL_SUPPORTED };
enum scn_call_support scn_call_support(const char *name);
/* The supported ones, for did-you-mean. */
extern const char *const scn_call_words[];
extern const unsigned scn_call_word_count;

/* A function of expressions: how many arguments it takes besides an endpoint. */
struct scn_function { const char *name; unsigned arguments; bool takes_endpoint; };
const struct scn_function *scn_function_from_name(const char *name);
extern const char *const scn_function_words[];
extern const unsigned scn_function_word_count;

#endif
