// Made by make_unicode.py: characters as the `tokenizers` library knows them, by several versions
// of Unicode. The tables of Java and Android depend on the device.

package tfsqueezebert

/** The characters that are removed from a text. */
internal val REMOVED = CodePoints(
    values = 0,
    packed = "0 8 3 1 2 h 2o w e 0 11v 5 n 0 5d 0 1e 0 3cv 0 1kt 4 r 4 1e 4 2 9 11u9 4xr 16o 0 " +
        "6y 2 2 0 3b4 0 xyb 3 440 7 h407 0 v 2n 1egx 1ekd 3 1ekd",
)

/** The characters that become spaces. */
internal val WHITESPACE = CodePoints(
    values = 0,
    packed = "9 1 3 0 j 0 3k 0 4bk 0 1vk a u 1 6 0 1c 0 335 0",
)

/** The ideographs, around which spaces are put. */
internal val CHINESE = CodePoints(
    values = 0,
    packed = "a9s 533 1t g73 hkx e7 1fk1 wyn x 3dr 75 49b 85t f3",
)

/** The characters that NFD changes. */
internal val DECOMPOSED = CodePoints(
    values = 0,
    packed = "5c 5 2 8 2 5 3 4 3 5 2 8 2 5 3 4 2 g 3 j 3 8 4 3 2 5 5 5 4 5 3 h 3 m y 1 e 1 t f " +
        "2 5 3 a 4 1 3 z 3 1 7 d 7h 1 2 1 1c 0 a 0 7 5 2 0 2 2 q 6 q 4 5 1 18 1 2 0 4 0 5 " +
        "2 b 0 w 0 n 1 2 0 4 0 5 2 o 1 22 1 e 3 3 1 3 5 3 5 3 b 3 1 89 4 4a 0 2 0 h 0 gm " +
        "0 8 0 3 0 10 7 30 1 g 1 2 0 2c 0 3 0 z 2 3 0 6i 0 3 1 g 1 1j 0 1i 2 3g 0 3c 0 7 " +
        "1 2 1 3j 2 3y 0 2 2 9x 0 a 0 5 0 5 0 5 0 d 0 a 0 2 1 2 0 9 0 i 0 a 0 5 0 5 0 5 0 " +
        "d 0 31 0 25c 0 2 0 2 0 2 0 2 0 4 0 15 0 2 0 3 1 2 0 jh 49 2 0 5 2h 7 l 3 5 3 11 " +
        "3 5 3 7 2 0 2 0 2 0 2 u 3 1g 2 6 2 0 3 3 2 d 3 5 2 i 3 2 2 7 3 1 85 0 4 1 33 1 j " +
        "0 v 2 1h 0 5 0 3 0 o 0 2 0 r 0 3 0 3 0 2 0 n 0 2 0 b 4 3 1 3 1 7 1 3 1 3 1 z 3 " +
        "1d 3 7 3 1o 1 1iq 0 12o 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 3 0 2 0 2 " +
        "0 7 1 2 1 2 1 2 1 2 1 n 0 a 0 e 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 2 0 3 " +
        "0 2 0 2 0 7 1 2 1 2 1 2 1 2 1 n 0 3 3 4 0 oaq 8mb 6l9 7h 3 0 2 0 3 9 2 0 2 0 3 1 " +
        "4 1v 3 2x 1w 0 2 0 b c 2 4 2 0 2 1 2 1 2 8 47g 0 2 0 f 0 3n 1 f0 1 a7 1 2 0 70 1 " +
        "112b 6 2f 5 1m4g f1",
)

/** The characters that NFD sorts, with their combining class. */
internal val COMBINING = CodePoints(
    values = 1,
    packed = "lc k 6e 1 0 6g 1 3 64 1 0 6g 1 0 60 1 4 64 1 1 5m 1 3 64 1 1 5m 1 a 64 1 4 1 1 3 " +
        "64 1 2 6e 3 0 6e 3 0 6o 1 0 6e 1 2 64 1 2 6e 1 1 64 2 2 6e 1 3 64 1 0 6e 1 0 6g " +
        "1 1 64 1 0 6e 1 0 6h 1 1 6i 1 0 6h 1 1 6i 1 0 6h 1 c 6e 7o 4 6e 7e 0 64 1 3 6e 1 " +
        "0 64 1 2 6e 1 0 66 1 0 64 1 5 6e 1 5 64 1 1 6e 1 0 64 1 1 6e 1 0 66 1 0 6c 1 0 " +
        "6e 1 0 a 1 0 b 1 0 c 1 0 d 1 0 e 1 0 f 1 0 g 1 0 h 1 0 i 1 1 j 1 0 k 1 0 l 1 0 m " +
        "2 0 n 2 0 o 1 0 p 2 0 6e 1 0 64 2 0 i 21 7 6e 1 0 u 1 0 v 1 0 w 1d 0 r 1 0 s 1 0 " +
        "t 1 0 u 1 0 v 1 0 w 1 0 x 1 0 y 1 1 6e 1 1 64 1 4 6e 1 0 64 1 1 6e 1 0 64 h 0 z " +
        "2u 6 6e 3 3 6e 1 0 64 1 0 6e 3 1 6e 2 0 64 1 1 6e 1 0 64 10 0 10 v 0 6e 1 0 64 1 " +
        "1 6e 1 0 64 1 1 6e 1 2 64 1 0 6e 1 1 64 1 0 6e 1 0 64 1 2 6e 1 0 64 1 0 6e 1 0 " +
        "64 1 0 6e 1 0 64 1 0 6e 1 0 64 1 1 6e 4h 6 6e 1 0 64 1 0 6e z 3 6e 2 8 6e 2 2 6e " +
        "2 4 6e 18 2 64 3d d 6e 2 0 64 1 1 6e 1 0 64 1 1 6e 1 0 64 1 2 6e 1 2 64 1 0 r 1 " +
        "0 s 1 0 t 1 2 6e 1 0 64 1 1 6e 1 1 64 1 4 6e 1p 0 7 h 0 9 4 0 6e 1 0 64 1 1 6e " +
        "2w 0 7 h 0 9 33 0 7 h 0 9 33 0 7 h 0 9 33 0 7 h 0 9 3k 0 9 3k 0 9 8 0 2c 1 0 2j " +
        "2u 0 7 h 0 9 3k 0 9 3h 0 9 32 1 2v 1 0 9 e 3 2z 31 1 3a f 3 3e 25 1 64 s 0 64 2 " +
        "0 64 2 0 60 1k 0 3l 1 0 3m 2 0 3o 6 3 3m 3 0 3m 2 1 6e 1 0 9 2 1 6e 1r 0 64 35 0 " +
        "7 2 1 9 2b 0 64 k0 2 6e qd 0 9 w 0 9 4e 0 9 b 0 6e 5o 0 6c 40 0 66 1 0 6e 1 0 64 " +
        "64 0 6e 1 0 64 20 0 9 l 7 6e 3 0 64 1d 4 6e 1 5 64 1 1 6e 1 0 64 3b 0 7 g 0 9 13 " +
        "0 6e 1 0 64 1 6 6e 1j 1 9 1n 0 7 c 1 9 1w 0 7 49 2 6e 2 0 1 1 4 64 1 1 6e 1 3 64 " +
        "1 0 6e 2 6 1 5 0 64 7 0 6e 4 1 6e 5j 1 6e 1 0 64 1 6 6e 1 0 64 1 1 6e 1 0 6i 1 0 " +
        "5y 1 0 64 1 0 5m 1 10 6e 6 0 6e 1 0 6h 1 0 64 1 0 6e 1 0 64 k1 1 6e 1 1 1 1 3 6e " +
        "1 2 1 1 1 6e 5 0 6e 4 1 1 1 0 6e 1 0 64 1 0 6e 1 1 1 1 3 64 1 0 6e 2db 2 6e 3y 0 " +
        "9 2p v 6e ff 0 62 1 0 6c 1 0 6g 1 0 66 1 1 68 2y 1 8 n9x 0 6e 5 9 6e x 1 6e 29 1 " +
        "6e 7p 0 9 5a 0 9 s h 6e 1m 2 64 12 0 9 2o 0 7 d 0 9 6o 0 6e 2 1 6e 1 0 64 3 1 6e " +
        "6 1 6e 2 0 6e 1h 0 9 6v 0 9 fn5 0 q le 6 6e 1 6 64 1 1 6e r2 0 64 6b 0 64 46 4 " +
        "6e 1ar 0 64 2 0 6e 15 0 6e 1 0 1 1 0 64 5 0 9 4m 0 6e 1 0 64 128 0 9 1l 0 9 1m 0 " +
        "9 1 0 7 1y 2 6e 1d 1 9 1r 0 7 25 0 9 a 0 7 2z 0 9 1 0 7 4z 0 7 1 0 9 2a 0 7 h 0 " +
        "9 p 6 6e 4 4 6e 5q 0 9 4 0 7 3g 0 9 1 0 7 70 0 9 1 0 7 3j 0 9 3b 0 9 1 0 7 38 0 " +
        "9 104 0 9 fjl 4 1 1o 6 6e g2w 0 1 43r 1 60 1 2 1 4 0 6a 1 4 60 9 7 64 3 4 6e 1 1 " +
        "64 v 3 6e 45 2 6e 2po 6 6e 2 g 6e 3 6 6e 2 1 6e 2 4 6e 1pi 6 64 32 5 6e 1 0 7",
)

/** The marks that are removed with accents. */
internal val STRIPPED = CodePoints(
    values = 0,
    packed = "lc 33 7o 4 7e 18 2 0 2 1 2 1 2 0 21 a 1d k h 0 2u 6 3 5 3 1 2 3 10 0 v q 2k a 1n " +
        "8 z 3 2 8 2 2 2 4 18 2 3s v 1k 0 2 0 5 7 5 0 4 6 b 1 u 0 1n 0 5 3 9 0 l 1 u 1 1m " +
        "0 5 1 5 1 3 2 4 0 v 1 4 0 c 1 1m 0 5 4 2 1 5 0 l 1 u 0 1n 0 3 0 2 3 9 0 9 0 c 1 " +
        "v 0 1q 0 d 0 1f 0 1q 2 6 2 2 3 8 1 c 1 u 0 1n 0 3 0 7 0 6 1 l 1 u 0 1s 3 9 0 l 1 " +
        "2v 0 8 2 2 0 2j 0 3 6 d 7 2r 0 3 5 2 1 c 5 23 1 s 0 2 0 2 0 1k d 2 4 2 1 6 a 2 z " +
        "a 0 2v 3 2 5 2 1 3 1 q 1 5 2 h 3 e 0 3 1 7 0 g 0 jk 2 qb 2 u 2 u 1 v 1 1t 1 2 6 " +
        "9 0 3 a a 0 1a 2 4c 0 3b 2 5 1 a 0 7 2 64 1 3 0 1n 0 2 6 2 0 2 0 3 7 7 9 3 0 1d " +
        "d 1v 3 1d 0 2 4 2 0 6 0 15 8 d 1 x 3 3 1 2 2 1l 0 2 1 4 0 2 2 1n 7 3 1 49 2 2 c " +
        "2 6 5 0 7 0 4 1 5j 1h 7 3 k1 c 5 0 4 b 2db 2 3y 0 2p v ff 3 30 1 n9x 0 5 9 x 1 " +
        "29 1 7l 0 4 0 5 0 q 1 4e 0 s h 1h 7 q a 1b 2 1d 0 3 3 3 0 15 0 1w 5 3 1 3 1 d 0 " +
        "9 0 1c 0 1g 0 2 2 3 1 6 1 2 0 17 1 9 0 6n 0 3 0 5 0 fn5 0 ki f h f r2 0 6b 0 46 " +
        "4 1af 2 2 1 6 3 15 2 5 0 4m 1 10b 0 1j e 1l 2 1e 3 3 1 1y 2 11 4 2 7 1r 0 d 1 1h " +
        "8 c 2 2r 2 3 0 2 1 4o 0 4 7 m 1 1n 0 4 0 12 6 4 4 8v 5 2 0 5 1 2 1 6n 3 7 1 2 1 " +
        "s 1 2e 7 3 0 2 1 2z 0 2 0 3 5 2 0 2u 2 3 3 2 4 gjp 4 1o 6 ux 3 f7v 1 43t 2 i 7 3 " +
        "6 v 3 45 2 1j0 1i 5 1d 9 0 f 0 n 4 2 e 2sh 6 gzl6 6n",
)

/** The characters with a lower case: in each range every step-th one, by difference. */
internal val LOWERCASE = CodePoints(
    values = 2,
    packed = "1t p 1 w 2u m 1 w 2 6 1 w y 1a 2 1 4 4 2 1 3 e 2 1 3 18 2 1 2 0 1 -3d 1 4 2 1 4 " +
        "0 1 5u 1 2 2 1 2 0 1 5q 1 0 1 1 2 1 1 5p 1 0 1 1 3 0 1 27 1 0 1 5m 1 0 1 5n 1 0 " +
        "1 1 2 0 1 5p 1 0 1 5r 2 0 1 5v 1 0 1 5t 1 0 1 1 4 0 1 5v 1 0 1 5x 2 0 1 5y 1 4 2 " +
        "1 2 0 1 62 1 0 1 1 2 0 1 62 3 0 1 1 2 0 1 62 1 0 1 1 2 1 1 61 1 2 2 1 2 0 1 63 1 " +
        "0 1 1 4 0 1 1 8 0 1 2 1 0 1 1 2 0 1 2 1 0 1 1 2 0 1 2 1 g 2 1 3 g 2 1 3 0 1 2 1 " +
        "2 2 1 2 0 1 -2p 1 0 1 -1k 1 12 2 1 2 0 1 -3m 2 g 2 1 8 0 1 8bv 1 0 1 1 2 0 1 -4j " +
        "1 0 1 8bs 3 0 1 1 2 0 1 -5f 1 0 1 1x 1 0 1 1z 1 8 2 1 82 2 2 1 4 0 1 1 9 0 1 38 " +
        "7 0 1 12 2 2 1 11 2 0 1 1s 2 1 1 1r 2 g 1 w 2 8 1 w 10 0 1 8 9 m 2 1 6 0 1 -1o 3 " +
        "0 1 1 2 0 1 -7 1 0 1 1 3 2 1 -3m 1 f 1 28 1 v 1 w 1d w 2 1 a 1g 2 1 2 0 1 f 1 c " +
        "2 1 3 2m 2 1 3 11 1 1c 28a 11 1 5ls 2 0 1 5ls 6 0 1 5ls k3 27 1 tzk 1 5 1 8 1p0 " +
        "0 1 1 7 16 1 -2bk 3 2 1 -2bk 8x 44 2 1 a 0 1 -5vj 2 2m 2 1 a 7 1 -8 9 5 1 -8 b 7 " +
        "1 -8 9 7 1 -8 9 5 1 -8 c 6 2 -8 9 7 1 -8 p 7 1 -8 9 7 1 -8 9 7 1 -8 9 1 1 -8 1 1 " +
        "1 -22 1 0 1 -9 c 3 1 -2e 1 0 1 -9 c 1 1 -8 1 1 1 -2s d 1 1 -8 1 1 1 -34 1 0 1 -7 " +
        "c 1 1 -3k 1 1 1 -3i 1 0 1 -9 8a 0 1 -5st 4 0 1 -6gv 1 0 1 -6di 7 0 1 s 1a f 1 g " +
        "k 0 1 1 mr p 1 q 1f5 1b 1 1c 1d 0 1 1 2 0 1 -8af 1 0 1 -2xy 1 0 1 -89z 3 4 2 1 2 " +
        "0 1 -8bg 1 0 1 -8al 1 0 1 -8bj 1 0 1 -8bi 2 0 1 1 3 0 1 1 9 1 1 -8cf 1 2q 2 1 9 " +
        "2 2 1 5 0 1 1 nym 18 2 1 k q 2 1 3s c 2 1 4 1o 2 1 b 2 2 1 2 0 1 -r9g 1 8 2 1 5 " +
        "0 1 1 2 0 1 -wmg 3 2 2 1 4 i 2 1 2 0 1 -wn8 1 0 1 -wnj 1 0 1 -wnf 1 0 1 -wn5 1 0 " +
        "1 -wn8 2 0 1 -wlu 1 0 1 -wmi 1 0 1 -wlx 1 0 1 ps 1 e 2 1 2 0 1 -1c 1 0 1 -wn7 1 " +
        "0 1 -raw 1 2 2 1 2 0 1 -wo7 1 e 2 1 2 0 1 -wu9 p 0 1 1 h7w p 1 w xy 13 1 14 3t z " +
        "1 14 4d a 1 13 2 e 1 13 2 6 1 13 2 1 1 13 1d7 1e 1 1s 4e l 1 w 27v v 1 w gw1 v 1 " +
        "w 1t o 1 r o5k x 1 y",
)

/** The characters of which each is a word. */
internal val PUNCTUATION = CodePoints(
    values = 0,
    packed = "x e b 6 r 5 r 3 z 0 6 0 4 0 b 1 4 0 4 0 jj 0 9 0 cz 5 16 1 1g 0 2 0 3 0 3 0 19 1 " +
        "l 1 2 1 e 0 3 1 23 3 2v 0 18 d 6i 2 1j e w 0 7a 1 b 0 ao 0 lg 0 2j 0 b 1 4p e 2 " +
        "0 12 3 20 0 23 4 5 1 34 5 4s 0 h1 8 48 0 h9 1 19 1 27 2 20 1 4e 2 2 2 12 a 8q 1 " +
        "61 1 3l 6 2 5 4t 6 4c 3 1o 4 1r 1 1t 7 c 0 n1 n 9 j 2 c 2 b v 1 f 1 hm 3 u 1 u6 " +
        "d 28 1 w 9 b8 l 1s 3 x 1 l8 3 2 1 35 0 40 1a 2 i cf 2 5 9 3 b h 0 d 0 2r 0 2j 0 " +
        "mwz 1 7i 2 2s 0 b 0 38 5 al 3 2f 1 15 2 2 0 1e 1 1c 0 2q c h 1 3h 3 3j 1 h 1 6y " +
        "0 g2b 1 5t 9 n y 2 d 2 0 5 0 2 1 46 2 2 5 2 3 b 1 4 1 r 2 2 0 s 0 2 0 2 6 bf 2 " +
        "il 0 1d 0 bj 0 ko 0 5k 0 w 0 7l 8 13 0 35 6 1v 6 2i 3 x7 6 32 1 2 3 3j 3 1d 1 28 " +
        "4 4 0 e 0 2 2 2h 5 30 0 f1 0 6z m 2y 2 6x 2 2lu 4 dtm 1 3q 0 1u 4 9 0 g2j 0 5wo " +
        "4",
)
