#include "kernels.h"

#define N MATRIX_SIZE

static void fill(struct matrices *m, uint32_t seed) {
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            seed = next_number(seed);
            m->a[i][j] = (int16_t)(seed & 0xff);
            m->b[i][j] = (int16_t)((seed >> 8 & 0x7f) + 1);
        }
}

static void add_constant(struct matrices *m, int16_t value) {
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) m->a[i][j] = (int16_t)(m->a[i][j] + value);
}

static void multiply_constant(struct matrices *m, int16_t value) {
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) m->c[i][j] = (int32_t)m->a[i][j] * value;
}

static void multiply_vector(struct matrices *m) {
    for (int i = 0; i < N; ++i) {
        int32_t sum = 0;
        for (int j = 0; j < N; ++j) sum += (int32_t)m->a[i][j] * m->b[j][0];
        m->c[0][i] = sum;
    }
}

static void multiply(struct matrices *m) {
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            int32_t sum = 0;
            for (int k = 0; k < N; ++k) sum += (int32_t)m->a[i][k] * m->b[k][j];
            m->c[i][j] = sum;
        }
}

// A product of bit fields, which adds shifts and masks to the multiplications.
static void multiply_fields(struct matrices *m) {
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            int32_t sum = 0;
            for (int k = 0; k < N; ++k) {
                int32_t product = (int32_t)m->a[i][k] * m->b[k][j];
                sum += (product >> 2 & 0xf) * (product >> 5 & 0x7f);
            }
            m->c[i][j] = sum;
        }
}

// A sum that rewards rising values and starts again when it passes a limit.
static int16_t fold(const struct matrices *m, int32_t limit) {
    int32_t sum = 0, last = 0;
    int16_t score = 0;
    for (int i = 0; i < N; ++i)
        for (int j = 0; j < N; ++j) {
            int32_t now = m->c[i][j];
            sum += now;
            if (sum > limit) {
                score = (int16_t)(score + 10);
                sum = 0;
            } else {
                score = (int16_t)(score + (now > last));
            }
            last = now;
        }
    return score;
}

uint16_t matrix_run(struct matrices *m, uint32_t seed, uint16_t crc) {
    int16_t value = (int16_t)(seed & 0xf) + 1;
    fill(m, seed);
    add_constant(m, value);
    multiply_constant(m, value);
    crc = crc16_half((uint16_t)fold(m, 1000), crc);
    multiply_vector(m);
    crc = crc16_half((uint16_t)fold(m, 4000), crc);
    multiply(m);
    crc = crc16_half((uint16_t)fold(m, 100000), crc);
    multiply_fields(m);
    crc = crc16_half((uint16_t)fold(m, 2000), crc);
    add_constant(m, (int16_t)-value);
    return crc16_half((uint16_t)m->a[N - 1][N - 1], crc);
}
