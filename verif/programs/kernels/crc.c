#include "kernels.h"

uint16_t crc16_byte(uint8_t data, uint16_t crc) {
    for (int bit = 0; bit < 8; ++bit) {
        unsigned odd = (data ^ crc) & 1;
        data >>= 1;
        crc >>= 1;
        if (odd) crc ^= 0xa001;
    }
    return crc;
}

uint16_t crc16_half(uint16_t data, uint16_t crc) {
    crc = crc16_byte((uint8_t)data, crc);
    return crc16_byte((uint8_t)(data >> 8), crc);
}
