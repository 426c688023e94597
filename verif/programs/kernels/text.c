#include "kernels.h"

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, HEX, INVALID, STATES };

static const char *const samples[] = {
    "5012,", "1234,", "-874,", "+122,", "35.54400,", "+0.64400,", "-110.700,", ".1234500,",
    "5.500e+3,", "-.123e-2,", "-87e+832,", "+0.6e-12,", "0x1f3a,", "T0.3e-1F,", "-T.T++Tq,", "1T3.4e4z,",
};

void text_fill(char *text, uint32_t seed) {
    char *const end = text + TEXT_BYTES - 1;
    while (text < end) {
        seed = next_number(seed);
        // Plain numbers come more often than invalid ones.
        const char *sample = samples[seed & 1 ? seed >> 4 & 7 : seed >> 4 & 15];
        while (*sample && text < end) *text++ = *sample++;
    }
    *text = 0;
}

static int is_digit(char c) { return (uint8_t)(c - '0') <= 9; }

// Take one token from `*at`, count the states that are left, and say how it ended.
static enum state take_token(const char **at, uint32_t *left) {
    enum state state = START;
    const char *p = *at;
    for (; *p && state != INVALID; ++p) {
        char c = *p;
        if (c == ',') {
            ++p;
            break;
        }
        enum state before = state;
        switch (state) {
            case START:
                if (is_digit(c)) state = INTEGER;
                else if (c == '+' || c == '-') state = SIGN;
                else if (c == '.') state = POINT;
                else state = INVALID;
                break;
            case SIGN:
                if (is_digit(c)) state = INTEGER;
                else if (c == '.') state = POINT;
                else state = INVALID;
                break;
            case INTEGER:
                if (c == '.') state = FRACTION;
                else if (c == 'e' || c == 'E') state = EXPONENT;
                else if (c == 'x') state = HEX;
                else if (!is_digit(c)) state = INVALID;
                break;
            case POINT:
                state = is_digit(c) ? FRACTION : INVALID;
                break;
            case FRACTION:
                if (c == 'e' || c == 'E') state = EXPONENT;
                else if (!is_digit(c)) state = INVALID;
                break;
            case EXPONENT:
                if (c == '+' || c == '-') state = EXPONENT_SIGN;
                else state = is_digit(c) ? SCIENTIFIC : INVALID;
                break;
            case EXPONENT_SIGN:
                state = is_digit(c) ? SCIENTIFIC : INVALID;
                break;
            case SCIENTIFIC:
                if (!is_digit(c)) state = INVALID;
                break;
            case HEX:
                if (!is_digit(c) && (uint8_t)((c | 0x20) - 'a') > 5) state = INVALID;
                break;
            default:
                break;
        }
        if (state != before) ++left[before];
    }
    if (state == INVALID)
        while (*p && *p++ != ',') {
        }
    *at = p;
    return state;
}

static uint16_t scan(const char *text, uint16_t crc) {
    uint32_t ended[STATES] = {0}, left[STATES] = {0};
    while (*text) ++ended[take_token(&text, left)];
    for (int i = 0; i < STATES; ++i) {
        crc = crc16_half((uint16_t)ended[i], crc);
        crc = crc16_half((uint16_t)left[i], crc);
    }
    return crc;
}

static void spoil(char *text, unsigned step, char mask) {
    for (unsigned i = 0; i < TEXT_BYTES - 1; i += step)
        if (text[i] != ',' && (text[i] ^ mask) != ',' && text[i] != mask) text[i] ^= mask;
}

uint16_t text_run(char *text, uint32_t seed, uint16_t crc) {
    unsigned step = (seed & 7) + 11;
    char mask = (char)(seed & 0x1f);
    crc = scan(text, crc);
    spoil(text, step, mask);
    crc = scan(text, crc);
    spoil(text, step, mask);  // twice is as before
    return crc;
}
