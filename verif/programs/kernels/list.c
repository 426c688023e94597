#include <stddef.h>

#include "kernels.h"

typedef int (*comparison)(const struct node *a, const struct node *b);

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }
static int by_place(const struct node *a, const struct node *b) { return a->place - b->place; }

static struct node *build(struct node *pool, uint32_t seed) {
    struct node *head = NULL;
    unsigned at = 0;
    for (int i = 0; i < LIST_NODES; ++i) {
        seed = next_number(seed);
        at = (at + 7) % LIST_NODES;  // neighbours in the list are not neighbours in memory
        pool[at].key = (int16_t)(seed >> 8 & 0x7f);
        pool[at].place = (int16_t)i;
        pool[at].next = head;
        head = &pool[at];
    }
    return head;
}

static struct node *find_key(struct node *list, int16_t key) {
    while (list && list->key != key) list = list->next;
    return list;
}

static struct node *find_place(struct node *list, int16_t place) {
    while (list && list->place != place) list = list->next;
    return list;
}

static struct node *reverse(struct node *list) {
    struct node *done = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

// Merge sort from the bottom up, without recursion; equal elements keep their order.
static struct node *sort(struct node *list, comparison compare) {
    for (int width = 1;; width *= 2) {
        struct node *from = list, *tail = NULL;
        int merges = 0;
        list = NULL;
        while (from) {
            struct node *other = from;
            int left = 0, right = width;
            ++merges;
            while (left < width && other) {
                ++left;
                other = other->next;
            }
            while (left > 0 || (right > 0 && other)) {
                struct node *taken;
                if (left == 0 || (right > 0 && other && compare(from, other) > 0)) {
                    taken = other;
                    other = other->next;
                    --right;
                } else {
                    taken = from;
                    from = from->next;
                    --left;
                }
                if (tail)
                    tail->next = taken;
                else
                    list = taken;
                tail = taken;
            }
            from = other;
        }
        if (tail) tail->next = NULL;
        if (merges <= 1) return list;
    }
}

static uint16_t check(const struct node *list, uint16_t crc) {
    uint16_t sum = 0;
    int i = 0;
    for (; list; list = list->next) {
        sum = (uint16_t)(sum * 5 + list->place + (list->key << 6));
        if (++i % 4 == 0) crc = crc16_half(sum, crc);
    }
    return crc;
}

uint16_t list_run(struct node *pool, uint32_t seed, uint16_t crc) {
    struct node *list = build(pool, seed);
    unsigned found = 0, missed = 0;
    uint16_t sum = 0;
    for (int i = 0; i < LIST_SEARCHES; ++i) {
        seed = next_number(seed);
        struct node *hit = i & 1 ? find_key(list, (int16_t)(seed & 0x7f))
                                 : find_place(list, (int16_t)(seed % LIST_NODES));
        list = reverse(list);
        if (!hit) {
            ++missed;
            continue;
        }
        ++found;
        if (hit->next) {  // what was found moves to the front
            struct node *moved = hit->next;
            hit->next = moved->next;
            moved->next = list;
            list = moved;
        }
        sum = (uint16_t)(sum * 3 + hit->key);
    }
    list = sort(list, by_key);
    crc = check(list, crc);
    list = sort(list, by_place);
    crc = check(list, crc);
    crc = crc16_half(sum, crc);
    return crc16_half((uint16_t)(found << 8 ^ missed), crc);
}
