/* Validates JSON against the part of JSON Schema (2020-12) that results.schema.json uses. */
#include "reports/test/schema.h"

#include <stdio.h>
#include <string.h>

struct checker {
    const json_t *root;
    char *error;
    size_t error_size;
};

static bool check(const struct checker *c, const json_t *schema, const json_t *value);

static bool fault(const struct checker *c, const char *word, const char *what)
{
    if (!*c->error) /* the innermost fault is reported first, and stays */
        snprintf(c->error, c->error_size, "%s: %s", word, what);
    return false;
}

static bool word_type(const struct checker *c, const json_t *word, const json_t *value)
{
    const char *type = json_string_value(word);
    const bool right = (strcmp(type, "object") == 0 && json_is_object(value)) || (strcmp(type, "array") == 0 && json_is_array(value))
                       || (strcmp(type, "string") == 0 && json_is_string(value))
                       || (strcmp(type, "integer") == 0 && json_is_integer(value))
                       || (strcmp(type, "boolean") == 0 && json_is_boolean(value));
    return right || fault(c, "type", type);
}

static bool word_const(const struct checker *c, const json_t *word, const json_t *value)
{
    return json_equal(word, value) || fault(c, "const", "another value");
}

static bool word_enum(const struct checker *c, const json_t *word, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(word); i++)
        if (json_equal(json_array_get(word, i), value))
            return true;
    return fault(c, "enum", json_is_string(value) ? json_string_value(value) : "no string");
}

static bool word_minimum(const struct checker *c, const json_t *word, const json_t *value)
{
    return json_integer_value(value) >= json_integer_value(word) || fault(c, "minimum", "less");
}

static bool word_required(const struct checker *c, const json_t *word, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(word); i++)
        if (!json_object_get(value, json_string_value(json_array_get(word, i))))
            return fault(c, "required", json_string_value(json_array_get(word, i)));
    return true;
}

static bool word_properties(const struct checker *c, const json_t *word, const json_t *value)
{
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        const json_t *schema = json_object_get(word, key);
        if (schema && !check(c, schema, member))
            return false;
        if (!schema) /* allowed by JSON Schema, but then the report has outgrown its schema */
            return fault(c, "properties", key);
    }
    return true;
}

static bool word_additional(const struct checker *c, const json_t *word, const json_t *value)
{
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        if (!check(c, word, member))
            return fault(c, "additionalProperties", key);
    }
    return true;
}

static bool word_items(const struct checker *c, const json_t *word, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!check(c, word, json_array_get(value, i)))
            return false;
    return true;
}

static bool word_ref(const struct checker *c, const json_t *word, const json_t *value)
{
    static const char prefix[] = "#/$defs/";
    const char *ref = json_string_value(word);
    const json_t *target = strncmp(ref, prefix, sizeof prefix - 1) == 0
                               ? json_object_get(json_object_get(c->root, "$defs"), ref + sizeof prefix - 1)
                               : NULL;
    return target ? check(c, target, value) : fault(c, "$ref", ref);
}

static bool word_says_nothing(const struct checker *c, const json_t *word, const json_t *value)
{
    (void)c;
    (void)word;
    (void)value;
    return true;
}

static const struct {
    const char *name;
    bool (*check)(const struct checker *, const json_t *, const json_t *);
} words[] = {
    { "type", word_type },
    { "const", word_const },
    { "enum", word_enum },
    { "minimum", word_minimum },
    { "required", word_required },
    { "properties", word_properties },
    { "additionalProperties", word_additional },
    { "items", word_items },
    { "$ref", word_ref },
    { "$schema", word_says_nothing },
    { "$id", word_says_nothing },
    { "$defs", word_says_nothing },
    { "title", word_says_nothing },
    { "description", word_says_nothing },
};

static bool check_word(const struct checker *c, const char *name, const json_t *word, const json_t *value)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(name, words[i].name) == 0)
            return words[i].check(c, word, value);
    return fault(c, "not a word of the validator", name);
}

static bool check(const struct checker *c, const json_t *schema, const json_t *value)
{
    const char *name;
    json_t *word;
    json_object_foreach ((json_t *)schema, name, word) {
        if (!check_word(c, name, word, value))
            return false;
    }
    return true;
}

bool schema_check(const json_t *root, const json_t *schema, const json_t *value, char *error, size_t error_size)
{
    const struct checker c = { .root = root, .error = error, .error_size = error_size };
    *error = '\0';
    return check(&c, schema, value);
}
