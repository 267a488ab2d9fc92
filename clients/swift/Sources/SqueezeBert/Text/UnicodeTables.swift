// Made by make_unicode.py. These tables are those of the `tokenizers` library, which are of several
// versions of Unicode. With them, tokens do not depend on the version of the operating system.
// `CodePointTable` describes the format.

enum UnicodeTables {
  /// Removed from a text.
  static let removed = CodePointTable(
    columns: 0,
    """
    0 8 3 1 2 h 2o w e 0 11v 5 n 0 5d 0 1e 0 3cv 0 1kt 4 r 4 1e 4 2 9 11u9 4xr 16o 0 6y 2 2 0 3b4
    0 xyb 3 440 7 h407 0 v 2n 1egx 1ekd 3 1ekd
    """)

  /// Replaced with a space.
  static let whitespace = CodePointTable(
    columns: 0,
    """
    9 1 3 0 j 0 3k 0 4bk 0 1vk a u 1 6 0 1c 0 335 0
    """)

  /// Each a separate word, if Chinese is split.
  static let chinese = CodePointTable(
    columns: 0,
    """
    a9s 533 1t g73 hkx e7 1fk1 wyn x 3dr 75 49b 85t f3
    """)

  /// Combining marks, which are removed with accents.
  static let stripped = CodePointTable(
    columns: 0,
    """
    lc 33 7o 4 7e 18 2 0 2 1 2 1 2 0 21 a 1d k h 0 2u 6 3 5 3 1 2 3 10 0 v q 2k a 1n 8 z 3 2 8 2 2
    2 4 18 2 3s v 1k 0 2 0 5 7 5 0 4 6 b 1 u 0 1n 0 5 3 9 0 l 1 u 1 1m 0 5 1 5 1 3 2 4 0 v 1 4 0 c
    1 1m 0 5 4 2 1 5 0 l 1 u 0 1n 0 3 0 2 3 9 0 9 0 c 1 v 0 1q 0 d 0 1f 0 1q 2 6 2 2 3 8 1 c 1 u 0
    1n 0 3 0 7 0 6 1 l 1 u 0 1s 3 9 0 l 1 2v 0 8 2 2 0 2j 0 3 6 d 7 2r 0 3 5 2 1 c 5 23 1 s 0 2 0
    2 0 1k d 2 4 2 1 6 a 2 z a 0 2v 3 2 5 2 1 3 1 q 1 5 2 h 3 e 0 3 1 7 0 g 0 jk 2 qb 2 u 2 u 1 v
    1 1t 1 2 6 9 0 3 a a 0 1a 2 4c 0 3b 2 5 1 a 0 7 2 64 1 3 0 1n 0 2 6 2 0 2 0 3 7 7 9 3 0 1d d
    1v 3 1d 0 2 4 2 0 6 0 15 8 d 1 x 3 3 1 2 2 1l 0 2 1 4 0 2 2 1n 7 3 1 49 2 2 c 2 6 5 0 7 0 4 1
    5j 1h 7 3 k1 c 5 0 4 b 2db 2 3y 0 2p v ff 3 30 1 n9x 0 5 9 x 1 29 1 7l 0 4 0 5 0 q 1 4e 0 s h
    1h 7 q a 1b 2 1d 0 3 3 3 0 15 0 1w 5 3 1 3 1 d 0 9 0 1c 0 1g 0 2 2 3 1 6 1 2 0 17 1 9 0 6n 0 3
    0 5 0 fn5 0 ki f h f r2 0 6b 0 46 4 1af 2 2 1 6 3 15 2 5 0 4m 1 10b 0 1j e 1l 2 1e 3 3 1 1y 2
    11 4 2 7 1r 0 d 1 1h 8 c 2 2r 2 3 0 2 1 4o 0 4 7 m 1 1n 0 4 0 12 6 4 4 8v 5 2 0 5 1 2 1 6n 3 7
    1 2 1 s 1 2e 7 3 0 2 1 2z 0 2 0 3 5 2 0 2u 2 3 3 2 4 gjp 4 1o 6 ux 3 f7v 1 43t 2 i 7 3 6 v 3
    45 2 1j0 1i 5 1d 9 0 f 0 n 4 2 e 2sh 6 gzl6 6n
    """)

  /// Each a separate word.
  static let punctuation = CodePointTable(
    columns: 0,
    """
    x e b 6 r 5 r 3 z 0 6 0 4 0 b 1 4 0 4 0 jj 0 9 0 cz 5 16 1 1g 0 2 0 3 0 3 0 19 1 l 1 2 1 e 0 3
    1 23 3 2v 0 18 d 6i 2 1j e w 0 7a 1 b 0 ao 0 lg 0 2j 0 b 1 4p e 2 0 12 3 20 0 23 4 5 1 34 5 4s
    0 h1 8 48 0 h9 1 19 1 27 2 20 1 4e 2 2 2 12 a 8q 1 61 1 3l 6 2 5 4t 6 4c 3 1o 4 1r 1 1t 7 c 0
    n1 n 9 j 2 c 2 b v 1 f 1 hm 3 u 1 u6 d 28 1 w 9 b8 l 1s 3 x 1 l8 3 2 1 35 0 40 1a 2 i cf 2 5 9
    3 b h 0 d 0 2r 0 2j 0 mwz 1 7i 2 2s 0 b 0 38 5 al 3 2f 1 15 2 2 0 1e 1 1c 0 2q c h 1 3h 3 3j 1
    h 1 6y 0 g2b 1 5t 9 n y 2 d 2 0 5 0 2 1 46 2 2 5 2 3 b 1 4 1 r 2 2 0 s 0 2 0 2 6 bf 2 il 0 1d
    0 bj 0 ko 0 5k 0 w 0 7l 8 13 0 35 6 1v 6 2i 3 x7 6 32 1 2 3 3j 3 1d 1 28 4 4 0 e 0 2 2 2h 5 30
    0 f1 0 6z m 2y 2 6x 2 2lu 4 dtm 1 3q 0 1u 4 9 0 g2j 0 5wo 4
    """)

  /// With the class by which decomposed characters are sorted.
  static let combining = CodePointTable(
    columns: 1,
    """
    lc k 6e 1 0 6g 1 3 64 1 0 6g 1 0 60 1 4 64 1 1 5m 1 3 64 1 1 5m 1 a 64 1 4 1 1 3 64 1 2 6e 3 0
    6e 3 0 6o 1 0 6e 1 2 64 1 2 6e 1 1 64 2 2 6e 1 3 64 1 0 6e 1 0 6g 1 1 64 1 0 6e 1 0 6h 1 1 6i
    1 0 6h 1 1 6i 1 0 6h 1 c 6e 7o 4 6e 7e 0 64 1 3 6e 1 0 64 1 2 6e 1 0 66 1 0 64 1 5 6e 1 5 64 1
    1 6e 1 0 64 1 1 6e 1 0 66 1 0 6c 1 0 6e 1 0 a 1 0 b 1 0 c 1 0 d 1 0 e 1 0 f 1 0 g 1 0 h 1 0 i
    1 1 j 1 0 k 1 0 l 1 0 m 2 0 n 2 0 o 1 0 p 2 0 6e 1 0 64 2 0 i 21 7 6e 1 0 u 1 0 v 1 0 w 1d 0 r
    1 0 s 1 0 t 1 0 u 1 0 v 1 0 w 1 0 x 1 0 y 1 1 6e 1 1 64 1 4 6e 1 0 64 1 1 6e 1 0 64 h 0 z 2u 6
    6e 3 3 6e 1 0 64 1 0 6e 3 1 6e 2 0 64 1 1 6e 1 0 64 10 0 10 v 0 6e 1 0 64 1 1 6e 1 0 64 1 1 6e
    1 2 64 1 0 6e 1 1 64 1 0 6e 1 0 64 1 2 6e 1 0 64 1 0 6e 1 0 64 1 0 6e 1 0 64 1 0 6e 1 0 64 1 1
    6e 4h 6 6e 1 0 64 1 0 6e z 3 6e 2 8 6e 2 2 6e 2 4 6e 18 2 64 3d d 6e 2 0 64 1 1 6e 1 0 64 1 1
    6e 1 0 64 1 2 6e 1 2 64 1 0 r 1 0 s 1 0 t 1 2 6e 1 0 64 1 1 6e 1 1 64 1 4 6e 1p 0 7 h 0 9 4 0
    6e 1 0 64 1 1 6e 2w 0 7 h 0 9 33 0 7 h 0 9 33 0 7 h 0 9 33 0 7 h 0 9 3k 0 9 3k 0 9 8 0 2c 1 0
    2j 2u 0 7 h 0 9 3k 0 9 3h 0 9 32 1 2v 1 0 9 e 3 2z 31 1 3a f 3 3e 25 1 64 s 0 64 2 0 64 2 0 60
    1k 0 3l 1 0 3m 2 0 3o 6 3 3m 3 0 3m 2 1 6e 1 0 9 2 1 6e 1r 0 64 35 0 7 2 1 9 2b 0 64 k0 2 6e
    qd 0 9 w 0 9 4e 0 9 b 0 6e 5o 0 6c 40 0 66 1 0 6e 1 0 64 64 0 6e 1 0 64 20 0 9 l 7 6e 3 0 64
    1d 4 6e 1 5 64 1 1 6e 1 0 64 3b 0 7 g 0 9 13 0 6e 1 0 64 1 6 6e 1j 1 9 1n 0 7 c 1 9 1w 0 7 49
    2 6e 2 0 1 1 4 64 1 1 6e 1 3 64 1 0 6e 2 6 1 5 0 64 7 0 6e 4 1 6e 5j 1 6e 1 0 64 1 6 6e 1 0 64
    1 1 6e 1 0 6i 1 0 5y 1 0 64 1 0 5m 1 10 6e 6 0 6e 1 0 6h 1 0 64 1 0 6e 1 0 64 k1 1 6e 1 1 1 1
    3 6e 1 2 1 1 1 6e 5 0 6e 4 1 1 1 0 6e 1 0 64 1 0 6e 1 1 1 1 3 64 1 0 6e 2db 2 6e 3y 0 9 2p v
    6e ff 0 62 1 0 6c 1 0 6g 1 0 66 1 1 68 2y 1 8 n9x 0 6e 5 9 6e x 1 6e 29 1 6e 7p 0 9 5a 0 9 s h
    6e 1m 2 64 12 0 9 2o 0 7 d 0 9 6o 0 6e 2 1 6e 1 0 64 3 1 6e 6 1 6e 2 0 6e 1h 0 9 6v 0 9 fn5 0
    q le 6 6e 1 6 64 1 1 6e r2 0 64 6b 0 64 46 4 6e 1ar 0 64 2 0 6e 15 0 6e 1 0 1 1 0 64 5 0 9 4m
    0 6e 1 0 64 128 0 9 1l 0 9 1m 0 9 1 0 7 1y 2 6e 1d 1 9 1r 0 7 25 0 9 a 0 7 2z 0 9 1 0 7 4z 0 7
    1 0 9 2a 0 7 h 0 9 p 6 6e 4 4 6e 5q 0 9 4 0 7 3g 0 9 1 0 7 70 0 9 1 0 7 3j 0 9 3b 0 9 1 0 7 38
    0 9 104 0 9 fjl 4 1 1o 6 6e g2w 0 1 43r 1 60 1 2 1 4 0 6a 1 4 60 9 7 64 3 4 6e 1 1 64 v 3 6e
    45 2 6e 2po 6 6e 2 g 6e 3 6 6e 2 1 6e 2 4 6e 1pi 6 64 32 5 6e 1 0 7
    """)

  /// With a step and a difference: each step-th one changes by the difference.
  static let lowercase = CodePointTable(
    columns: 2,
    """
    1t p 1 w 2u m 1 w 2 6 1 w y 1a 2 1 4 4 2 1 3 e 2 1 3 18 2 1 2 0 1 -3d 1 4 2 1 4 0 1 5u 1 2 2 1
    2 0 1 5q 1 0 1 1 2 1 1 5p 1 0 1 1 3 0 1 27 1 0 1 5m 1 0 1 5n 1 0 1 1 2 0 1 5p 1 0 1 5r 2 0 1
    5v 1 0 1 5t 1 0 1 1 4 0 1 5v 1 0 1 5x 2 0 1 5y 1 4 2 1 2 0 1 62 1 0 1 1 2 0 1 62 3 0 1 1 2 0 1
    62 1 0 1 1 2 1 1 61 1 2 2 1 2 0 1 63 1 0 1 1 4 0 1 1 8 0 1 2 1 0 1 1 2 0 1 2 1 0 1 1 2 0 1 2 1
    g 2 1 3 g 2 1 3 0 1 2 1 2 2 1 2 0 1 -2p 1 0 1 -1k 1 12 2 1 2 0 1 -3m 2 g 2 1 8 0 1 8bv 1 0 1 1
    2 0 1 -4j 1 0 1 8bs 3 0 1 1 2 0 1 -5f 1 0 1 1x 1 0 1 1z 1 8 2 1 82 2 2 1 4 0 1 1 9 0 1 38 7 0
    1 12 2 2 1 11 2 0 1 1s 2 1 1 1r 2 g 1 w 2 8 1 w 10 0 1 8 9 m 2 1 6 0 1 -1o 3 0 1 1 2 0 1 -7 1
    0 1 1 3 2 1 -3m 1 f 1 28 1 v 1 w 1d w 2 1 a 1g 2 1 2 0 1 f 1 c 2 1 3 2m 2 1 3 11 1 1c 28a 11 1
    5ls 2 0 1 5ls 6 0 1 5ls k3 27 1 tzk 1 5 1 8 1p0 0 1 1 7 16 1 -2bk 3 2 1 -2bk 8x 44 2 1 a 0 1
    -5vj 2 2m 2 1 a 7 1 -8 9 5 1 -8 b 7 1 -8 9 7 1 -8 9 5 1 -8 c 6 2 -8 9 7 1 -8 p 7 1 -8 9 7 1 -8
    9 7 1 -8 9 1 1 -8 1 1 1 -22 1 0 1 -9 c 3 1 -2e 1 0 1 -9 c 1 1 -8 1 1 1 -2s d 1 1 -8 1 1 1 -34
    1 0 1 -7 c 1 1 -3k 1 1 1 -3i 1 0 1 -9 8a 0 1 -5st 4 0 1 -6gv 1 0 1 -6di 7 0 1 s 1a f 1 g k 0 1
    1 mr p 1 q 1f5 1b 1 1c 1d 0 1 1 2 0 1 -8af 1 0 1 -2xy 1 0 1 -89z 3 4 2 1 2 0 1 -8bg 1 0 1 -8al
    1 0 1 -8bj 1 0 1 -8bi 2 0 1 1 3 0 1 1 9 1 1 -8cf 1 2q 2 1 9 2 2 1 5 0 1 1 nym 18 2 1 k q 2 1
    3s c 2 1 4 1o 2 1 b 2 2 1 2 0 1 -r9g 1 8 2 1 5 0 1 1 2 0 1 -wmg 3 2 2 1 4 i 2 1 2 0 1 -wn8 1 0
    1 -wnj 1 0 1 -wnf 1 0 1 -wn5 1 0 1 -wn8 2 0 1 -wlu 1 0 1 -wmi 1 0 1 -wlx 1 0 1 ps 1 e 2 1 2 0
    1 -1c 1 0 1 -wn7 1 0 1 -raw 1 2 2 1 2 0 1 -wo7 1 e 2 1 2 0 1 -wu9 p 0 1 1 h7w p 1 w xy 13 1 14
    3t z 1 14 4d a 1 13 2 e 1 13 2 6 1 13 2 1 1 13 1d7 1e 1 1s 4e l 1 w 27v v 1 w gw1 v 1 w 1t o 1
    r o5k x 1 y
    """)

  /// With the differences to the one or two characters that replace it, or 0.
  static let decomposed = CodePointTable(
    columns: 2,
    """
    5c 0 -3j g0 1 0 -3k g0 1 0 -3l g0 1 0 -3m g0 1 0 -3n g4 1 0 -3o g5 2 0 -3o gw 1 0 -3n fs 1 0
    -3o fs 1 0 -3p fs 1 0 -3q fx 1 0 -3n fo 1 0 -3o fo 1 0 -3p fo 1 0 -3q ft 2 0 -3n fm 1 0 -3n fi
    1 0 -3o fi 1 0 -3p fi 1 0 -3q fi 1 0 -3r fm 3 0 -3o fb 1 0 -3p fb 1 0 -3q fb 1 0 -3r fg 1 0
    -3o f8 3 0 -3j f4 1 0 -3k f4 1 0 -3l f4 1 0 -3m f4 1 0 -3n f8 1 0 -3o f9 2 0 -3o g0 1 0 -3n ew
    1 0 -3o ew 1 0 -3p ew 1 0 -3q f1 1 0 -3n es 1 0 -3o es 1 0 -3p es 1 0 -3q ex 2 0 -3n eq 1 0
    -3n em 1 0 -3o em 1 0 -3p em 1 0 -3q em 1 0 -3r eq 3 0 -3o ef 1 0 -3p ef 1 0 -3q ef 1 0 -3r ek
    1 0 -3o ec 2 0 -3q eh 1 0 -5b ec 1 0 -4g eb 1 0 -5d ec 1 0 -4i eb 1 0 -5f f8 1 0 -4k f7 1 0
    -5f e3 1 0 -4k e2 1 0 -5h e2 1 0 -4m e1 1 0 -5j e5 1 0 -4o e4 1 0 -5l e8 1 0 -4q e7 1 0 -5m e6
    1 0 -4r e5 3 0 -5p du 1 0 -4u dt 1 0 -5r du 1 0 -4w dt 1 0 -5t dt 1 0 -4y ds 1 0 -5v eo 1 0
    -50 en 1 0 -5x du 1 0 -52 dt 1 0 -5x di 1 0 -52 dh 1 0 -5z dk 1 0 -54 dj 1 0 -61 dj 1 0 -56 di
    1 0 -63 ed 1 0 -58 ec 1 0 -64 da 1 0 -59 d9 3 0 -67 d7 1 0 -5c d6 1 0 -69 d6 1 0 -5e d5 1 0
    -6b d6 1 0 -5g d5 1 0 -6d e2 1 0 -5i e1 1 0 -6f d3 4 0 -6i cu 1 0 -5n ct 1 0 -6j dt 1 0 -5o ds
    2 0 -6l co 1 0 -5q cn 1 0 -6n do 1 0 -5s dn 1 0 -6p cv 1 0 -5u cu 5 0 -6t ce 1 0 -5y cd 1 0
    -6v de 1 0 -60 dd 1 0 -6x cl 1 0 -62 ck 4 0 -71 c8 1 0 -66 c7 1 0 -73 c8 1 0 -68 c7 1 0 -75 cb
    1 0 -6a ca 3 0 -76 bx 1 0 -6b bw 1 0 -78 cx 1 0 -6d cw 1 0 -7a c4 1 0 -6f c3 1 0 -7b br 1 0
    -6g bq 1 0 -7d bq 1 0 -6i bp 1 0 -7f cp 1 0 -6k co 1 0 -7h bw 1 0 -6m bv 1 0 -7i cl 1 0 -6n ck
    1 0 -7k bs 1 0 -6p br 3 0 -7n bf 1 0 -6s be 1 0 -7p be 1 0 -6u bd 1 0 -7r be 1 0 -6w bd 1 0
    -7t bg 1 0 -6y bf 1 0 -7v bf 1 0 -70 be 1 0 -7x c6 1 0 -72 c5 1 0 -7x b2 1 0 -72 b1 1 0 -7x b0
    1 0 -72 az 1 0 -7z b4 1 0 -7z aw 1 0 -74 av 1 0 -81 b0 1 0 -76 az 1 0 -83 b3 1 0 -78 b2 y 0
    -9d aj 1 0 -8i ai e 0 -9m a4 1 0 -8r a3 t 0 -b0 8v 1 0 -a5 8u 1 0 -au 8t 1 0 -9z 8s 1 0 -aq 8r
    1 0 -9v 8q 1 0 -am 8p 1 0 -9r 8o 1 0 -6x 8f 1 0 -62 8e 1 0 -6z 8a 1 0 -64 89 1 0 -71 8j 1 0
    -66 8i 1 0 -73 85 1 0 -68 84 2 0 -7u 86 1 0 -6z 85 1 0 1y 84 1 0 1y 83 1 0 -7w 82 1 0 -71 81 3
    0 -bj 86 1 0 -ao 85 1 0 -bh 84 1 0 -am 83 1 0 -bf 8u 1 0 -ak 8t 1 0 -2 7s 1 0 -2 7r 1 0 -1j 7y
    1 0 4j 7x 1 0 -au 7w 4 0 -bx 7h 1 0 -b2 7g 3 0 -bu 7c 1 0 -az 7b 1 0 -8l 7b 1 0 -7q 7a 1 0 -8m
    79 1 0 -7r 78 1 0 -86 77 1 0 -7b 76 1 0 -cf 7j 1 0 -bk 7i 1 0 -ch 7j 1 0 -bm 7i 1 0 -cf 7f 1 0
    -bk 7e 1 0 -ch 7f 1 0 -bm 7e 1 0 -cf 7b 1 0 -bk 7a 1 0 -ch 7b 1 0 -bm 7a 1 0 -cd 77 1 0 -bi 76
    1 0 -cf 77 1 0 -bk 76 1 0 -ce 73 1 0 -bj 72 1 0 -cg 73 1 0 -bl 72 1 0 -cf 6z 1 0 -bk 6y 1 0
    -ch 6z 1 0 -bm 6y 1 0 -cl 7i 1 0 -bq 7h 1 0 -cm 7g 1 0 -br 7f 3 0 -d2 6m 1 0 -c7 6l 7 0 -dh 69
    1 0 -cm 68 1 0 -df 73 1 0 -ck 72 1 0 -9g 62 1 0 -8l 61 1 0 -9j 60 1 0 -8o 5z 1 0 -db 61 1 0
    -cg 60 1 0 -2 5w 1 0 -2 5v 1 0 -d5 5u 1 0 -ca 5t 7h 0 -1s 0 1 0 -1s 0 2 0 -1c 0 1 0 -1o -1v 1c
    0 -57 0 a 0 -n7 0 7 0 -kd -3o 1 0 b -3p 1 0 -k0 0 1 0 d -3r 1 0 e -3s 1 0 f -3t 2 0 j -3v 2 0
    n -3x 1 0 q -3y 1 0 1m -3z q 0 -h -4i 1 0 -6 -4j 1 0 5 -4r 1 0 8 -4s 1 0 9 -4t 1 0 a -4u 1 0 r
    -4v q 0 -h -5e 1 0 -6 -5f 1 0 -d -5n 1 0 -8 -5o 1 0 -5 -5p 5 0 -1 -5u 1 0 -2 -5o 18 0 l -74 1
    0 k -6x 2 0 g -76 4 0 -1 -73 5 0 e -7f 1 0 b -7h 1 0 l -7c b 0 -1 -7n w 0 -1 -8j n 0 -r -9c 1
    0 -s -95 2 0 -w -9e 4 0 -1 -9b 5 0 -y -9n 1 0 -11 -9p 1 0 -r -9k o 0 -2 -9z 1 0 -2 -a0 22 0
    -4r -cb 1 0 -3w -cc e 0 -5c -cq 1 0 -4h -cr 1 0 -5e -cq 1 0 -4j -cr 3 0 -5d -cw 1 0 -4i -cx 3
    0 -2 -cy 1 0 -2 -cz 1 0 -5i -d0 1 0 -4n -d1 1 0 -5j -d2 1 0 -4o -d3 3 0 -5m -da 1 0 -4r -db 1
    0 -5o -d8 1 0 -4t -d9 1 0 -5k -da 1 0 -4p -db 3 0 -2 -de 1 0 -2 -df 1 0 -5b -dg 1 0 -4g -dh 1
    0 -5n -dm 1 0 -4s -dn 1 0 -5p -dk 1 0 -4u -dl 1 0 -5r -dj 1 0 -4w -dk 1 0 -5p -do 1 0 -4u -dp
    3 0 -5p -ds 1 0 -4u -dt 89 0 5 1d 1 0 4 1d 1 0 10 1c 1 0 2 1c 1 0 10 1a 4a 0 l -30 2 0 -1 -32
    h 0 -1 -3j gm 0 -1 j 8 0 -1 b 3 0 -1 8 10 0 -1v -s 1 0 -1v -t 1 0 -1v -u 1 0 -1r -v 1 0 -1n -w
    1 0 -1n -x 1 0 -1f -y 1 0 -1c -z 30 0 -4 -d 1 0 -5 b g 0 -1n -w 1 0 -1n -x 2 0 -1c -z 2c 0 -1
    9 3 0 2 6 z 0 -1v -t 1 0 -1v -u 1 0 -1r -v 3 0 -1f -y 6i 0 -1 e 3 0 -4 -d 1 0 -5 b g 0 -1n -w
    1 0 -1n -x 1j 0 -2 1v 1i 0 -4 -c 1 0 -4 -d 1 0 -6 b 3g 0 -2 e 3c 0 -1 l 7 0 -1 e 1 0 -2 e 2 0
    -4 -8 1 0 -1 a 3j 0 -4 -c 1 0 -4 -d 1 0 -6 b 3y 0 -1 -g 2 0 -3 -d 1 0 -1 -j 1 0 -5 1 9x 0 -1
    38 a 0 -1 2y 5 0 -1 2t 5 0 -1 2o 5 0 -1 2j d 0 -15 24 a 0 -2 -1 2 0 -4 -1 1 0 1o a 2 0 1n 8 9
    0 -g -1 i 0 -1 10 a 0 -1 q 5 0 -1 l 5 0 -1 g 5 0 -1 b d 0 -15 -4 31 0 -1 8 25c 0 -1 1b 2 0 -1
    19 2 0 -1 17 2 0 -1 15 2 0 -1 13 4 0 -1 z 15 0 -1 -6 2 0 -1 -8 3 0 -2 -b 1 0 -2 -c 2 0 -1 -e
    jh 0 -5vj -5az 1 0 -5uo -5b0 1 0 -5vk -5bv 1 0 -5up -5bw 1 0 -5vm -5b5 1 0 -5ur -5b6 1 0 -5vo
    -5at 1 0 -5ut -5au 1 0 -5s1 -5c7 1 0 -5r6 -5c8 1 0 -5vq -5c3 1 0 -5uv -5c4 1 0 -5vs -5bd 1 0
    -5ux -5be 1 0 -5vu -5b1 1 0 -5uz -5b2 1 0 -5vw -5bd 1 0 -5v1 -5be 1 0 -5vy -5b9 1 0 -5v3 -5ba
    1 0 -5qa -5ck 1 0 -5qa -5cl 1 0 -5qc -5cl 1 0 -5qc -5cm 1 0 -5w3 -5bf 1 0 -5v8 -5bg 1 0 -5w5
    -5be 1 0 -5va -5bf 1 0 -5is -5cm 1 0 -5is -5cn 1 0 -5w8 -5cn 1 0 -5vd -5co 1 0 -5w9 -5cs 1 0
    -5ve -5ct 1 0 -5wa -5cr 1 0 -5vf -5cs 1 0 -5wc -5c1 1 0 -5vh -5c2 1 0 -5we -5cu 1 0 -5vj -5cv
    1 0 -5wg -5c1 1 0 -5vl -5c2 1 0 -5wi -5bw 1 0 -5vn -5bx 1 0 -5wj -5bw 1 0 -5vo -5bx 1 0 -5sv
    -5d9 1 0 -5s0 -5da 1 0 -5wl -5db 1 0 -5vq -5dc 1 0 -5wn -5cf 1 0 -5vs -5cg 1 0 -5wp -5c3 1 0
    -5vu -5c4 1 0 -5wq -5cj 1 0 -5vv -5ck 1 0 -2 -5dg 1 0 -2 -5dh 1 0 -5wu -5c9 1 0 -5vz -5ca 1 0
    -5ww -5cf 1 0 -5w1 -5cg 1 0 -5wx -5dp 1 0 -5w2 -5dq 1 0 -5wz -5dl 1 0 -5w4 -5dm 1 0 -5x1 -5cv
    1 0 -5w6 -5cw 1 0 -5x2 -5dp 1 0 -5w7 -5dq 1 0 -5x4 -5cz 1 0 -5w9 -5d0 1 0 -5x6 -5cn 1 0 -5wb
    -5co 1 0 -5x8 -5ct 1 0 -5wd -5cu 1 0 -5tj -5e3 1 0 -5so -5e4 1 0 -5tl -5dy 1 0 -5sq -5dz 1 0
    -5qc -5e8 1 0 -5qc -5e9 1 0 -5qe -5e9 1 0 -5qe -5ea 1 0 -5xg -5eb 1 0 -5wl -5ec 1 0 -5xi -5e7
    1 0 -5wn -5e8 1 0 -5xi -5e9 1 0 -5wn -5ea 1 0 -5xk -5dj 1 0 -5wp -5dk 1 0 -2 -5eg 1 0 -2 -5eh
    1 0 -5xo -5d9 1 0 -5wt -5da 1 0 -5xp -5eh 1 0 -5wu -5ei 1 0 -5xr -5dr 1 0 -5ww -5ds 1 0 -5qi
    -5el 1 0 -5qi -5em 1 0 -5qe -5en 1 0 -5qe -5eo 1 0 -6 -5ep 1 0 -6 -5eq 1 0 -5xy -5er 1 0 -5x3
    -5es 1 0 -5y0 -5e1 1 0 -5x5 -5e2 1 0 -5y2 -5dp 1 0 -5x7 -5dq 1 0 -5y4 -5dv 1 0 -5x9 -5dw 1 0
    -5y5 -5e6 1 0 -5xa -5e7 1 0 -5y7 -5dw 1 0 -5xc -5dx 1 0 -5y9 -5e1 1 0 -5xe -5e2 1 0 -5qo -5fb
    1 0 -5qo -5fc 1 0 -5qo -5f6 1 0 -5qo -5f7 1 0 -5ye -5fd 1 0 -5xj -5fe 1 0 -5yg -5ej 1 0 -5xl
    -5ek 1 0 -5yh -5fk 1 0 -5xm -5fl 1 0 -5yj -5fl 1 0 -5xo -5fm 1 0 -5yl -5fg 1 0 -5xq -5fh 1 0
    -5yn -5fj 1 0 -5xs -5fk 1 0 -5yp -5et 1 0 -5xu -5eu 1 0 -5yq -5fn 1 0 -5xv -5fo 1 0 -5ys -5fo
    1 0 -5xx -5fp 1 0 -5yt -5fr 1 0 -5xy -5fs 1 0 -5yu -5fy 1 0 -5xz -5fz 1 0 -5yw -5f3 1 0 -5y1
    -5f4 1 0 -5yy -5er 1 0 -5y3 -5es 1 0 -5ym -5et 1 0 -5yb -5fz 1 0 -5y9 -5fy 1 0 -5y8 -5fz 2 0
    -5r0 -5g4 5 0 -5zz -5fh 1 0 -5z4 -5fi 1 0 -601 -5g9 1 0 -5z6 -5ga 1 0 -5wi -5gj 1 0 -5vn -5gk
    1 0 -5wk -5gm 1 0 -5vp -5gn 1 0 -5wm -5gf 1 0 -5vr -5gg 1 0 -5wo -5gn 1 0 -5vt -5go 1 0 -c
    -5gq 1 0 -c -5gr 1 0 -5v0 -5gt 1 0 -5v0 -5gu 1 0 -5v2 -5gw 1 0 -5v2 -5gx 1 0 -5v4 -5gp 1 0
    -5v4 -5gq 1 0 -5v6 -5gx 1 0 -5v6 -5gy 1 0 -m -5gw 1 0 -m -5gx 1 0 -60j -5g5 1 0 -5zo -5g6 1 0
    -60l -5gx 1 0 -5zq -5gy 1 0 -60n -5h5 1 0 -5zs -5h6 1 0 -5x0 -5h9 1 0 -5w5 -5ha 1 0 -5x2 -5hc
    1 0 -5w7 -5hd 1 0 -5x4 -5h5 1 0 -5w9 -5h6 1 0 -5x6 -5hd 1 0 -5wb -5he 1 0 -e -5hg 1 0 -e -5hh
    1 0 -60v -5hb 1 0 -600 -5hc 1 0 -60x -5gn 1 0 -602 -5go 1 0 -60t -5gp 1 0 -5zy -5gq 1 0 -60v
    -5hh 1 0 -600 -5hi 1 0 -5x8 -5hr 1 0 -5wd -5hs 1 0 -5xa -5hu 1 0 -5wf -5hv 1 0 -5xc -5hn 1 0
    -5wh -5ho 1 0 -5xe -5hv 1 0 -5wj -5hw 1 0 -c -5hy 1 0 -c -5hz 1 0 -5ru -5i1 1 0 -5ru -5i2 1 0
    -5rw -5i4 1 0 -5rw -5i5 1 0 -5ry -5hx 1 0 -5ry -5hy 1 0 -5s0 -5i5 1 0 -5s0 -5i6 1 0 -5s2 -5hb
    1 0 -5s2 -5hc 1 0 -61b -5hd 1 0 -60g -5he 1 0 -61d -5i5 1 0 -60i -5i6 1 0 -5rt -5if 1 0 -5rt
    -5ig 1 0 -5rv -5ii 1 0 -5rv -5ij 1 0 -5rx -5ib 1 0 -5rx -5ic 1 0 -5rz -5ij 1 0 -5rz -5ik 1 0
    -5s1 -5hp 1 0 -5s1 -5hq 1 0 -61l -5iq 1 0 -60q -5ir 1 0 -61n -5ht 1 0 -60s -5hu 1 0 -61p -5il
    1 0 -60u -5im 1 0 -61r -5it 1 0 -60w -5iu 7 0 -5e7 -5il 1 0 -5e8 -5il 1 0 -2 -5j6 1 0 -2 -5j7
    1 0 -4 -5j7 1 0 -4 -5j8 1 0 -6 -5hg 1 0 -6 -5hh 1 0 -5fb -5it 1 0 -5fc -5it 1 0 -2 -5je 1 0 -2
    -5jf 1 0 -4 -5jf 1 0 -4 -5jg 1 0 -6 -5ho 1 0 -6 -5hp 1 0 -5ej -5j1 1 0 -5ek -5j1 1 0 -2 -5jm 1
    0 -2 -5jn 1 0 -4 -5jn 1 0 -4 -5jo 3 0 -5fn -5j9 1 0 -5fo -5j9 1 0 -2 -5ju 1 0 -2 -5jv 1 0 -4
    -5jv 1 0 -4 -5jw 3 0 -5ex -5jh 1 0 -5ey -5jh 1 0 -2 -5k2 1 0 -2 -5k3 1 0 -4 -5k3 1 0 -4 -5k4 1
    0 -6 -5ic 1 0 -6 -5id 1 0 -5g1 -5jp 1 0 -5g2 -5jp 1 0 -2 -5ka 1 0 -2 -5kb 1 0 -4 -5kb 1 0 -4
    -5kc 1 0 -6 -5ik 1 0 -6 -5il 1 0 -5fb -5jx 1 0 -5fc -5jx 1 0 -2 -5ki 1 0 -2 -5kj 1 0 -4 -5kj 1
    0 -4 -5kk 1 0 -6 -5is 1 0 -6 -5it 1 0 -5gf -5k5 1 0 -5gg -5k5 1 0 -2 -5kq 1 0 -2 -5kr 1 0 -4
    -5kr 1 0 -4 -5ks 1 0 -6 -5j0 1 0 -6 -5j1 1 0 -5fl -5kd 1 0 -5fm -5kd 1 0 -2 -5ky 1 0 -2 -5kz 1
    0 -4 -5kz 1 0 -4 -5l0 3 0 -5gp -5kl 1 0 -5gq -5kl 1 0 -2 -5l6 1 0 -2 -5l7 1 0 -4 -5l7 1 0 -4
    -5l8 3 0 -5fv -5kt 1 0 -5fw -5kt 1 0 -2 -5le 1 0 -2 -5lf 1 0 -4 -5lf 1 0 -4 -5lg 1 0 -6 -5jo 1
    0 -6 -5jp 2 0 -5h0 -5l1 2 0 -2 -5ln 2 0 -4 -5lo 2 0 -6 -5jx 1 0 -5g7 -5l9 1 0 -5g8 -5l9 1 0 -2
    -5lu 1 0 -2 -5lv 1 0 -4 -5lv 1 0 -4 -5lw 1 0 -6 -5k4 1 0 -6 -5k5 1 0 -5hb -5lh 1 0 -5hc -5lh 1
    0 -2 -5m2 1 0 -2 -5m3 1 0 -4 -5m3 1 0 -4 -5m4 1 0 -6 -5kc 1 0 -6 -5kd 1 0 -5hb -5m8 1 0 -5hh 0
    1 0 -5h9 -5ma 1 0 -5hi 0 1 0 -5h9 -5mc 1 0 -5hj 0 1 0 -5h9 -5me 1 0 -5hk 0 1 0 -5h5 -5mg 1 0
    -5gt 0 1 0 -5h1 -5mi 1 0 -5gu 0 1 0 -5gz -5mk 1 0 -5gv 0 3 0 -3k -5kr 1 0 -3k -5ks 1 0 -3k
    -5kt 1 0 -3k -5ku 1 0 -3k -5kv 1 0 -3k -5kw 1 0 -3k -5kx 1 0 -3k -5ky 1 0 -3k -5kz 1 0 -3k
    -5l0 1 0 -3k -5l1 1 0 -3k -5l2 1 0 -3k -5l3 1 0 -3k -5l4 1 0 -3k -5l5 1 0 -3k -5l6 1 0 -34
    -5l7 1 0 -34 -5l8 1 0 -34 -5l9 1 0 -34 -5la 1 0 -34 -5lb 1 0 -34 -5lc 1 0 -34 -5ld 1 0 -34
    -5le 1 0 -34 -5lf 1 0 -34 -5lg 1 0 -34 -5lh 1 0 -34 -5li 1 0 -34 -5lj 1 0 -34 -5lk 1 0 -34
    -5ll 1 0 -34 -5lm 1 0 -1s -5ln 1 0 -1s -5lo 1 0 -1s -5lp 1 0 -1s -5lq 1 0 -1s -5lr 1 0 -1s
    -5ls 1 0 -1s -5lt 1 0 -1s -5lu 1 0 -1s -5lv 1 0 -1s -5lw 1 0 -1s -5lx 1 0 -1s -5ly 1 0 -1s
    -5lz 1 0 -1s -5m0 1 0 -1s -5m1 1 0 -1s -5m2 1 0 -5j3 -5nu 1 0 -5j4 -5nx 1 0 -1u -5m5 1 0 -5j6
    -5m6 1 0 -5jc -5m7 2 0 -5j9 -5mc 1 0 -1 -5ma 1 0 -5k7 -5o2 1 0 -5k8 -5o5 1 0 -5k9 -5oa 1 0
    -5kl 0 1 0 -5kb -5mf 2 0 -5j9 0 3 0 -655 -5mn 1 0 -26 -5ml 1 0 -5jg -5mm 1 0 -5jq -5mn 2 0
    -5jj -5ms 1 0 -1 -5mq 1 0 -5kj -5oo 1 0 -5kx 0 1 0 -5kj -5oq 1 0 -5ky 0 1 0 -5kl -5mv 1 0 -e
    -5ot 1 0 -f -5ot 1 0 -g -5n1 1 0 -5jr -5oq 1 0 -5js -5ot 1 0 -5jc -5oy 1 0 -5kz 0 3 0 -5jx
    -5n8 1 0 -5jh -5n9 1 0 -5kv -5oy 1 0 -5kw -5p1 1 0 -5kx -5p6 1 0 -5ld 0 2 0 x -5p9 1 0 w -5p9
    1 0 v -5nh 1 0 -5jv -5p6 1 0 -5jw -5p9 1 0 -5jr -5pe 1 0 -5kj 0 1 0 -5k3 -5ox 1 0 -5k4 -5ox 1
    0 -5k1 -5no 1 0 -5jw -5np 1 0 -5kz -5pe 1 0 -5l0 -5ph 1 0 -5l1 -5pm 1 0 -5lp 0 1 0 -5l7 -5p4 1
    0 -66d -5pp 1 0 -5m1 0 1 0 -68f 0 3 0 -3a -5nx 1 0 -5ka -5ny 1 0 -5k6 -5nz 2 0 -5kd -5o4 1 0
    -1 -5o2 1 0 -5ll -5q0 1 0 -5m5 0 1 0 -5ld -5q2 1 0 -5m4 0 1 0 -5lf -5o7 1 0 -66h 0 3 0 2 0 1 0
    2 0 85 0 -5tp 0 4 0 -6hr 0 1 0 -6ee 0 33 0 -a -602 1 0 -9 -603 j 0 -q -60m v 0 3 -61h 1 0 6
    -61i 1 0 3 -61j 1h 0 -1 -630 5 0 -1 -635 3 0 -1 -638 o 0 -1 -63w 2 0 -1 -63y r 0 -5 -64p 3 0
    -1 -64s 3 0 -2 -64v 2 0 -1 -64x n 0 -6qr -65k 2 0 -1 -65m b 0 -w -65x 1 0 -6r6 -65y 1 0 -6r5
    -65z 1 0 -c -660 1 0 -c -661 3 0 -2 -664 1 0 -2 -665 3 0 -2 -668 1 0 -2 -669 7 0 -6 -66g 1 0
    -6 -66h 3 0 -2 -66k 1 0 -2 -66l 3 0 -2 -66o 1 0 -2 -66p z 0 -a -67o 1 0 -5 -67p 1 0 -5 -67q 1
    0 -4 -67r 1d 0 -2s -694 1 0 -2s -695 1 0 -29 -696 1 0 -29 -697 7 0 -1k -69e 1 0 -1k -69f 1 0
    -1k -69g 1 0 -1k -69h 1o 0 2jj 0 1 0 2jj 0 1iq 0 1 -7tw 12o 0 -1 25 2 0 -1 23 2 0 -1 21 2 0 -1
    1z 2 0 -1 1x 2 0 -1 1v 2 0 -1 1t 2 0 -1 1r 2 0 -1 1p 2 0 -1 1n 2 0 -1 1l 2 0 -1 1j 3 0 -1 1g 2
    0 -1 1e 2 0 -1 1c 7 0 -1 15 1 0 -2 15 2 0 -1 12 1 0 -2 12 2 0 -1 z 1 0 -2 z 2 0 -1 w 1 0 -2 w
    2 0 -1 t 1 0 -2 t n 0 -26 5 a 0 -1 -5 e 0 -1 -j 2 0 -1 -l 2 0 -1 -n 2 0 -1 -p 2 0 -1 -r 2 0 -1
    -t 2 0 -1 -v 2 0 -1 -x 2 0 -1 -z 2 0 -1 -11 2 0 -1 -13 2 0 -1 -15 3 0 -1 -18 2 0 -1 -1a 2 0 -1
    -1c 7 0 -1 -1j 1 0 -2 -1j 2 0 -1 -1m 1 0 -2 -1m 2 0 -1 -1p 1 0 -2 -1p 2 0 -1 -1s 1 0 -2 -1s 2
    0 -1 -1v 1 0 -2 -1v n 0 -26 -2j 3 0 -8 -2m 1 0 -8 -2n 1 0 -8 -2o 1 0 -8 -2p 4 0 -1 -2t 13ia 0
    -lh4 0 1 0 -sul 0 1 0 -kzc 0 1 0 -ldn 0 1 0 -rar 0 1 0 -xqr 0 1 0 -wm9 0 1 0 -hnv 0 1 0 -hnw 0
    1 0 -vjs 0 1 0 -ke1 0 1 0 -was 0 1 0 -vk4 0 1 0 -tuf 0 1 0 -pt1 0 1 0 -o0a 0 1 0 -moh 0 1 0
    -mdz 0 1 0 -m56 0 1 0 -kn8 0 1 0 -s9e 0 1 0 -rne 0 1 0 -qwt 0 1 0 -qbd 0 1 0 -n2z 0 1 0 -khb 0
    1 0 -isp 0 1 0 -xp5 0 1 0 -wpz 0 1 0 -s2h 0 1 0 -qo3 0 1 0 -mpe 0 1 0 -hz6 0 1 0 -us1 0 1 0
    -r3r 0 1 0 -ms6 0 1 0 -m2o 0 1 0 -tp8 0 1 0 -nke 0 1 0 -mbs 0 1 0 -uhq 0 1 0 -suq 0 1 0 -rls 0
    1 0 -qi7 0 1 0 -km6 0 1 0 -xif 0 1 0 -x2v 0 1 0 -wup 0 1 0 -tbg 0 1 0 -s4e 0 1 0 -qoy 0 1 0
    -pqk 0 1 0 -nxv 0 1 0 -mr3 0 1 0 -moq 0 1 0 -l6w 0 1 0 -jd2 0 1 0 -iiy 0 1 0 -i0w 0 1 0 -pf3 0
    1 0 -p8d 0 1 0 -of1 0 1 0 -n79 0 1 0 -k6z 0 1 0 -hxd 0 1 0 -lt7 0 1 0 -voj 0 1 0 -ugv 0 1 0
    -oo4 0 1 0 -nuv 0 1 0 -qn8 0 1 0 -pdp 0 1 0 -lfq 0 1 0 -jf6 0 1 0 -voy 0 1 0 -uzt 0 1 0 -sah 0
    1 0 -rjn 0 1 0 -rb3 0 1 0 -oio 0 1 0 -obd 0 1 0 -jk6 0 1 0 -ww0 0 1 0 -nuw 0 1 0 -x2w 0 1 0
    -x3d 0 1 0 -p4q 0 1 0 -oex 0 1 0 -n6v 0 1 0 -jj8 0 1 0 -lp6 0 1 0 -tqk 0 1 0 -sbe 0 1 0 -lsv 0
    1 0 -xt1 0 1 0 -v3s 0 1 0 -ua6 0 1 0 -qfu 0 1 0 -q2a 0 1 0 -wuk 0 1 0 -pd5 0 1 0 -xie 0 1 0
    -ud9 0 1 0 -xui 0 1 0 -rrw 0 1 0 -t81 0 1 0 -ojs 0 1 0 -wq0 0 1 0 -vta 0 1 0 -prg 0 1 0 -n51 0
    1 0 -lvp 0 1 0 -rzq 0 1 0 -kw1 0 1 0 -ru2 0 1 0 -tpx 0 1 0 -nf3 0 1 0 -tlh 0 1 0 -q35 0 1 0
    -xqh 0 1 0 -x73 0 1 0 -x4g 0 1 0 -smx 0 1 0 -olw 0 1 0 -nil 0 1 0 -luz 0 1 0 -khb 0 1 0 -wwa 0
    1 0 -wn2 0 1 0 -vm6 0 1 0 -uja 0 1 0 -t6m 0 1 0 -r5y 0 1 0 -pcr 0 1 0 -jq1 0 1 0 -isd 0 1 0
    -hyp 0 1 0 -hx7 0 1 0 -wz3 0 1 0 -szp 0 1 0 -s2d 0 1 0 -kyz 0 1 0 -umy 0 1 0 -u0v 0 1 0 -txs 0
    1 0 -tfb 0 1 0 -rcf 0 1 0 -qx6 0 1 0 -qa3 0 1 0 -p8r 0 1 0 -of6 0 1 0 -nxk 0 1 0 -l0y 0 1 0
    -n1n 0 1 0 -ktz 0 1 0 -k7l 0 1 0 -x39 0 1 0 -wze 0 1 0 -wkh 0 1 0 -r13 0 1 0 -mam 0 1 0 -lx3 0
    1 0 -ul5 0 1 0 -ucu 0 1 0 -tnt 0 1 0 -s1j 0 1 0 -ors 0 1 0 -qia 0 1 0 -xqc 0 1 0 -w4w 0 1 0
    -v5v 0 1 0 -usx 0 1 0 -uc0 0 1 0 -qgr 0 1 0 -qbp 0 1 0 -o45 0 1 0 -nze 0 1 0 -kfx 0 1 0 -ji4 0
    1 0 -jfv 0 1 0 -ja4 0 1 0 -xm2 0 1 0 -pag 0 1 0 -kjn 0 1 0 -jk0 0 1 0 -u6w 0 1 0 -xtg 0 1 0
    -xcx 0 1 0 -v66 0 1 0 -v3y 0 1 0 -t9h 0 1 0 -se5 0 1 0 -quq 0 1 0 -pz3 0 1 0 -n2e 0 1 0 -ksn 0
    1 0 -htj 0 1 0 -t31 0 1 0 -jo8 0 1 0 -x1a 0 1 0 -swd 0 1 0 -st2 0 1 0 -rrd 0 1 0 -rhr 0 1 0
    -qf7 0 1 0 -q5w 0 1 0 -pk3 0 1 0 -on3 0 1 0 -j8y 0 1 0 -x9g 0 1 0 -tyc 0 1 0 -jmj 0 1 0 -xih 0
    1 0 -uyk 0 1 0 -rn0 0 1 0 -l2l 0 1 0 -uh9 0 1 0 -u51 0 1 0 -ssj 0 1 0 -qj8 0 1 0 -jme 0 1 0
    -x4k 0 1 0 -wr3 0 1 0 -v3u 0 1 0 -t71 0 1 0 -syb 0 1 0 -soq 0 1 0 -rum 0 1 0 -qfy 0 1 0 -q2r 0
    1 0 -o6l 0 1 0 -mc8 0 1 0 -mbr 0 1 0 -kkd 0 1 0 -jk8 0 1 0 -wx8 0 1 0 -rhu 0 1 0 -wr4 0 1 0
    -qvy 0 1 0 -qc7 0 1 0 -mwm 0 1 0 -jm6 0 1 0 -ihn 0 1 0 -i1g 0 1 0 -swt 0 1 0 -roq 0 1 0 -npq 0
    1 0 -p4c 0 1 0 -p20 0 1 0 -orr 0 1 0 -qpm 0 1 0 -r4y 0 1 0 -lus 0 1 0 -xtp 0 1 0 -ngo 0 1 0
    -x51 0 1 0 -x6h 0 1 0 -uor 0 1 0 -tv3 0 1 0 -oq5 0 1 0 -vb3 0 1 0 -rtz 0 1 0 -t3m 0 1 0 -l3g 0
    1 0 -mgs 0 1 0 -jp8 0 1 0 -m7z 0 1 0 -uns 0 1 0 -xcc 0 1 0 -wgd 0 3 0 -vxy 0 2 0 -t5q 0 3 0
    -x87 0 1 0 -qng 0 1 0 -pxp 0 1 0 -pgc 0 1 0 -pff 0 1 0 -pf9 0 1 0 -pe4 0 1 0 -jie 0 1 0 -orj 0
    1 0 -o69 0 2 0 -mxa 0 2 0 -lyi 0 3 0 -kx9 0 1 0 -krt 0 4 0 -j7f 0 1 0 -j73 0 1 0 -j5w 0 1 0
    -i9l 0 1 0 -ksw 0 1 0 -jnc 0 1 0 -xoi 0 1 0 -xfu 0 1 0 -xd1 0 1 0 -x2i 0 1 0 -x1s 0 1 0 -wys 0
    1 0 -wih 0 1 0 -wfl 0 1 0 -wcw 0 1 0 -vzt 0 1 0 -vwy 0 1 0 -v6f 0 1 0 -v66 0 1 0 -ucp 0 1 0
    -u6u 0 1 0 -u5t 0 1 0 -u32 0 1 0 -tf6 0 1 0 -tb4 0 1 0 -t6a 0 1 0 -ssf 0 1 0 -rta 0 1 0 -ros 0
    1 0 -rhh 0 1 0 -r16 0 1 0 -qvy 0 1 0 -qi0 0 1 0 -pmi 0 1 0 -phq 0 1 0 -phg 0 1 0 -phi 0 1 0
    -phb 0 1 0 -ph6 0 1 0 -ph0 0 1 0 -pfp 0 1 0 -pfp 0 1 0 -pas 0 1 0 -p90 0 1 0 -p06 0 1 0 -okj 0
    1 0 -ojz 0 1 0 -oig 0 1 0 -oa0 0 1 0 -o5y 0 1 0 -nsf 0 1 0 -nok 0 1 0 -nol 0 1 0 -nbc 0 1 0
    -mds 0 1 0 -ma3 0 1 0 -m01 0 1 0 -lyi 0 1 0 -ln5 0 1 0 -llp 0 1 0 -l2o 0 1 0 -kz3 0 1 0 -jnp 0
    1 0 -jfu 0 1 0 -je7 0 1 0 -ueu 0 1 0 1sw2 0 1 0 -nrp 0 3 0 -y16 0 1 0 -xbw 0 1 0 -xe2 0 1 0
    -xrn 0 1 0 -xf3 0 1 0 -xdh 0 1 0 -x4f 0 1 0 -x31 0 1 0 -wkb 0 1 0 -wmc 0 1 0 -wkh 0 1 0 -wih 0
    1 0 -w0y 0 1 0 -vyi 0 1 0 -vui 0 1 0 -vu3 0 1 0 -vmm 0 1 0 -vh5 0 1 0 -ur4 0 1 0 -uqy 0 1 0
    -umz 0 1 0 -ul4 0 1 0 -ucu 0 1 0 -u9l 0 1 0 -ubk 0 1 0 -u7v 0 1 0 -u96 0 1 0 -u55 0 1 0 -u3c 0
    1 0 -ts9 0 1 0 -tpu 0 1 0 -tod 0 1 0 -th6 0 1 0 -t99 0 1 0 -t4r 0 1 0 -t4o 0 1 0 -t32 0 1 0
    -s9o 0 1 0 -s7w 0 1 0 -rx2 0 1 0 -rlp 0 1 0 -rm6 0 1 0 -rjs 0 1 0 -rct 0 1 0 -r3i 0 1 0 -pva 0
    1 0 -qy1 0 1 0 -quo 0 1 0 -qra 0 1 0 -qi8 0 1 0 -qe4 0 1 0 -qco 0 1 0 -q6f 0 1 0 -q6e 0 1 0
    -q1o 0 1 0 -q18 0 1 0 -q0k 0 1 0 -py7 0 1 0 -pyi 0 1 0 -pnj 0 1 0 -pa3 0 1 0 -p2l 0 1 0 -oxf 0
    1 0 -or8 0 1 0 -on0 0 1 0 -odv 0 1 0 -o8d 0 1 0 -nkx 0 1 0 -ngl 0 1 0 -mrg 0 1 0 -met 0 1 0
    -mcx 0 1 0 -mci 0 1 0 -m4a 0 1 0 -m2q 0 1 0 -m40 0 1 0 -m2j 0 1 0 -m2n 0 1 0 -m35 0 1 0 -m12 0
    1 0 -lyu 0 1 0 -lo9 0 1 0 -l8q 0 1 0 -l01 0 1 0 -krv 0 1 0 -klr 0 1 0 -jt6 0 1 0 -jqc 0 1 0
    -jn6 0 1 0 -jji 0 1 0 -jij 0 1 0 -ji8 0 1 0 -jgx 0 1 0 -iwr 0 1 0 -i0i 0 1 0 1njv 0 1 0 1njo 0
    1 0 1ptw 0 1 0 -11rp 0 1 0 -10vv 0 1 0 -10uz 0 1 0 1vuc 0 1 0 1xx6 0 1 0 24n0 0 1 0 -i39 0 1 0
    -i17 0 1w 0 -1cg4 -1ch5 2 0 -1cfh -1ch4 b 0 -1cg1 -1ch5 1 0 -1cg2 -1ch5 1 0 t -1ch7 1 0 s
    -1ch7 1 0 -1cgu -1chj 1 0 -1cgv -1chj 1 0 -1cgw -1chg 1 0 -1cgw -1chh 1 0 -1cgw -1chi 1 0
    -1cgw -1chj 1 0 -1cgw -1chk 1 0 -1cgw -1chl 1 0 -1cgw -1chm 2 0 -1cgw -1cho 1 0 -1cgw -1chp 1
    0 -1cgw -1chq 1 0 -1cgw -1chr 1 0 -1cgw -1chs 2 0 -1cgw -1chu 2 0 -1cgw -1chw 1 0 -1cgw -1chx
    2 0 -1cgw -1chz 1 0 -1cgw -1ci0 2 0 -1cgw -1ci2 1 0 -1cgw -1ci3 1 0 -1cgw -1ci4 1 0 -1cgw
    -1ci5 1 0 -1cgw -1ci6 1 0 -1chi -1cia 1 0 -1chn -1ci5 1 0 -1che -1ci6 1 0 -1ch6 -1ci7 47g 0 -1
    w 2 0 -1 u f 0 -6 f 3n 0 3 -7 1 0 3 -8 f0 0 -4 -d 1 0 -5 b a7 0 -2 -1 1 0 -3 -c 2 0 -5 -1 70 0
    -2 -b 1 0 -2 -c 112b 0 -7 7 1 0 -7 6 1 0 -1 e 1 0 -2 e 1 0 -3 e 1 0 -4 e 1 0 -5 e 2f 0 -2 -2e
    1 0 -2 -2f 1 0 -2 -27 1 0 -2 -28 1 0 -4 -28 1 0 -4 -29 1m4g 0 -3qo3 0 1 0 -3qo9 0 1 0 -3qo1 0
    1 0 -1crl 0 1 0 -3qg4 0 1 0 -3qdz 0 1 0 -3qdn 0 1 0 -3qbp 0 1 0 -3q8e 0 1 0 -3q7k 0 1 0 -3q5f
    0 1 0 -3q64 0 1 0 -3vqm 0 1 0 -1brn 0 1 0 -3q2p 0 1 0 -3q2j 0 1 0 -3q24 0 1 0 -3q1m 0 1 0
    -1bzq 0 1 0 -3vq2 0 1 0 -3q25 0 1 0 -3q14 0 1 0 -1byj 0 1 0 -3q0w 0 1 0 -3q0k 0 1 0 -3qkt 0 1
    0 -3q0e 0 1 0 -3q06 0 1 0 -k71 0 1 0 -3pyg 0 1 0 -3py3 0 1 0 -3vpc 0 1 0 -3pwl 0 1 0 -3pwb 0 1
    0 -3pv4 0 1 0 -3pv0 0 1 0 -3vnz 0 1 0 -3psu 0 1 0 -3pst 0 1 0 -3ps3 0 1 0 -3pri 0 1 0 -3pr8 0
    1 0 -3pr8 0 1 0 -3pqs 0 1 0 -3ppf 0 1 0 -3pp8 0 1 0 -3pp0 0 1 0 -3poc 0 1 0 -3po3 0 1 0 -3po2
    0 1 0 -3po3 0 1 0 -3po4 0 1 0 -1b0o 0 1 0 -3jyd 0 1 0 -3pm4 0 1 0 -3plk 0 1 0 -1as5 0 1 0
    -3pla 0 1 0 -3pl5 0 1 0 -3pkl 0 1 0 -3pge 0 1 0 -3pj9 0 1 0 -3piu 0 1 0 -3phz 0 1 0 -3pge 0 1
    0 -3pe3 0 1 0 -3pde 0 1 0 -3pbk 0 1 0 -3pb5 0 1 0 -3pa9 0 1 0 -3paa 0 1 0 -3p9q 0 1 0 -3p99 0
    1 0 -3p92 0 1 0 -3p8o 0 1 0 -3oz9 0 1 0 -3p6u 0 1 0 -3oza 0 1 0 -3p4t 0 1 0 -3p3v 0 1 0 -3pzd
    0 1 0 -3omb 0 1 0 -3ouc 0 1 0 -3otb 0 1 0 -3osn 0 1 0 -3owa 0 1 0 -3oro 0 1 0 -3orq 0 1 0
    -3ooc 0 1 0 -18xh 0 1 0 -3omg 0 1 0 -3omc 0 1 0 -3oly 0 1 0 -3olf 0 1 0 -3ol8 0 1 0 -3ojh 0 1
    0 -18l4 0 1 0 -18jb 0 1 0 -3ofq 0 1 0 -3oeg 0 1 0 -3oe5 0 1 0 -3ogd 0 1 0 -3ocg 0 1 0 -3vcp 0
    1 0 -3vcc 0 1 0 -3o81 0 1 0 -3o6k 0 1 0 -3o6l 0 1 0 -17z8 0 1 0 -3o2y 0 1 0 -3o2e 0 1 0 -3o20
    0 1 0 -3o1p 0 1 0 -17q1 0 1 0 -3o1f 0 1 0 -3o19 0 1 0 -3ndt 0 1 0 -3o0j 0 1 0 -3v91 0 1 0
    -3nyv 0 1 0 -3nyi 0 1 0 -3nw9 0 1 0 -3nxp 0 1 0 -176f 0 1 0 -3nsp 0 1 0 -176f 0 1 0 -3nrk 0 1
    0 -3nro 0 1 0 -3nr8 0 1 0 -3nog 0 1 0 -3nog 0 1 0 -3v4k 0 1 0 -3nnr 0 1 0 -3nml 0 1 0 -3nm1 0
    1 0 -3nku 0 1 0 -3v3a 0 1 0 -16h2 0 1 0 -3v2m 0 1 0 -3niz 0 1 0 -3nix 0 1 0 -3niv 0 1 0 -3nic
    0 1 0 -gsd 0 1 0 -3ngy 0 1 0 -165c 0 1 0 -165d 0 1 0 -3gk2 0 1 0 -3ng2 0 1 0 -3ng3 0 1 0 -3v0v
    0 1 0 -1333 0 1 0 -try 0 1 0 -3nef 0 1 0 -3ne7 0 1 0 -3v08 0 1 0 -3ncy 0 1 0 -3nbk 0 1 0 -3nbb
    0 1 0 -3nae 0 1 0 -3n6n 0 1 0 -3uxz 0 1 0 -3uyu 0 1 0 -3n67 0 1 0 -15g0 0 1 0 -3n4u 0 1 0
    -3n1a 0 1 0 -3n17 0 1 0 -3n16 0 1 0 -3n19 0 1 0 -3n00 0 1 0 -3mzh 0 1 0 -3myi 0 1 0 -3myx 0 1
    0 -3myn 0 1 0 -3mxd 0 1 0 -3mwu 0 1 0 -3mwr 0 1 0 -3mw2 0 1 0 -3mvs 0 1 0 -3mtz 0 1 0 -3mro 0
    1 0 -3mqq 0 1 0 -3mnb 0 1 0 -14mk 0 1 0 -3mnw 0 1 0 -3mpq 0 1 0 -3mmr 0 1 0 -3mm1 0 1 0 -3mjd
    0 1 0 -14gd 0 1 0 -3mhp 0 1 0 -3mkb 0 1 0 -3ml4 0 1 0 -3us4 0 1 0 -3mfu 0 1 0 -3mfa 0 1 0
    -3meg 0 1 0 -3mfj 0 1 0 -3uqj 0 1 0 -3m9l 0 1 0 -3m8t 0 1 0 -13nk 0 1 0 -3m5k 0 1 0 -3lxw 0 1
    0 -3m2s 0 1 0 -3ulx 0 1 0 -3m0u 0 1 0 -3umg 0 1 0 -3unh 0 1 0 -3q68 0 1 0 -3q66 0 1 0 -3lxw 0
    1 0 -3m0p 0 1 0 -3gvd 0 1 0 -3svy 0 1 0 -3lxd 0 1 0 -3lxa 0 1 0 -3lx5 0 1 0 -3lvh 0 1 0 -3lvt
    0 1 0 -12xm 0 1 0 -3ul1 0 1 0 -3lr9 0 1 0 -3luj 0 1 0 -3lov 0 1 0 -3lnh 0 1 0 -12t2 0 1 0
    -3lna 0 1 0 -3lqe 0 1 0 -3ljm 0 1 0 -3uiy 0 1 0 -3lie 0 1 0 -3lfq 0 1 0 -3lds 0 1 0 -3l8j 0 1
    0 -12dl 0 1 0 -3l76 0 1 0 -3ufq 0 1 0 -3l5a 0 1 0 -11zd 0 1 0 -3l3x 0 1 0 -3uec 0 1 0 -3l35 0
    1 0 -3l1x 0 1 0 -3l17 0 1 0 -3l17 0 1 0 -11m2 0 1 0 -17fx 0 1 0 -11j3 0 1 0 -3kx8 0 1 0 -116n
    0 1 0 -3ku5 0 1 0 -3kts 0 1 0 -3kwn 0 1 0 -3krt 0 1 0 -3kqq 0 1 0 -3kp6 0 1 0 -3kqp 0 1 0
    -3kpm 0 1 0 -3kp8 0 1 0 -3kow 0 1 0 -1148 0 1 0 -3kr7 0 1 0 -3kk9 0 1 0 -3kij 0 1 0 -3u8n 0 1
    0 -3kg0 0 1 0 -3kg5 0 1 0 -10sc 0 1 0 -3klx 0 1 0 -3kbl 0 1 0 -10oi 0 1 0 -10n7 0 1 0 -3k98 0
    1 0 -3k62 0 1 0 -3k6u 0 1 0 -3k6y 0 1 0 -3u68 0 1 0 -3k5p 0 1 0 -3k4b 0 1 0 -3k4i 0 1 0 -3k31
    0 1 0 -1c6u 0 1 0 -3jyv 0 1 0 -103e 0 1 0 -3jwi 0 1 0 -zuc 0 1 0 -3jso 0 1 0 -3jsc 0 1 0 -3jrm
    0 1 0 -zdn 0 1 0 -3jqc 0 1 0 -3jps 0 1 0 -z5d 0 1 0 -yz7 0 1 0 -3jji 0 1 0 -3jj2 0 1 0 -3tz2 0
    1 0 -3jie 0 1 0 -3tys 0 1 0 -3tyt 0 1 0 -3jdz 0 1 0 -3jdf 0 1 0 -3jcv 0 1 0 -3jcc 0 1 0 -3jag
    0 1 0 -3tw8 0 1 0 -3j80 0 1 0 -y67 0 1 0 -3j7c 0 1 0 -y3p 0 1 0 -3j60 0 1 0 -16l6 0 1 0 -3j1m
    0 1 0 -xi2 0 1 0 -xhg 0 1 0 -xdl 0 1 0 -3tqa 0 1 0 -3tpz 0 1 0 -3ivg 0 1 0 -x8u 0 1 0 -x8w 0 1
    0 -x7u 0 1 0 -x75 0 1 0 -3iuf 0 1 0 -3iuf 0 1 0 -3iug 0 1 0 -3ita 0 1 0 -3tow 0 1 0 -3irj 0 1
    0 -3tol 0 1 0 -3tme 0 1 0 -wmo 0 1 0 -3im8 0 1 0 -3ikj 0 1 0 -3iis 0 1 0 -3tke 0 1 0 -w8c 0 1
    0 -3if1 0 1 0 -w56 0 1 0 -w40 0 1 0 -3idj 0 1 0 -3ib0 0 1 0 -3tih 0 1 0 -3i8p 0 1 0 -3i8g 0 1
    0 -3i8c 0 1 0 -vkw 0 1 0 -vcm 0 1 0 -vcn 0 1 0 -3i41 0 1 0 -3tcu 0 1 0 -v5i 0 1 0 -3hy4 0 1 0
    -3hy2 0 1 0 -3tbx 0 1 0 -uzp 0 1 0 -3hqs 0 1 0 -3t8n 0 1 0 -3hq8 0 1 0 -3hqe 0 1 0 -3hpm 0 1 0
    -ued 0 1 0 -3hmx 0 1 0 -3t64 0 1 0 -3hk7 0 1 0 -3hil 0 1 0 -3hgr 0 1 0 -3t4t 0 1 0 -tvu 0 1 0
    -tv0 0 1 0 -3t3v 0 1 0 -tr0 0 1 0 -3h8c 0 1 0 -to9 0 1 0 -3h7n 0 1 0 -3h4v 0 1 0 -3h4l 0 1 0
    -tcx 0 1 0 -tax 0 1 0 -3h25 0 1 0 -t7a 0 1 0 -3h1r 0 1 0 -134x 0 1 0 -3t0s 0 1 0 -3h00 0 1 0
    -3gxs 0 1 0 -3szd 0 1 0 -3gw7 0 1 0 -3oi9 0 1 0 -stc 0 1 0 -ssz 0 1 0 -133q 0 1 0 -133i 0 1 0
    -3gqy 0 1 0 -3gqw 0 1 0 -3e27 0 1 0 -3swz 0 1 0 -3gn2 0 1 0 -3gn9 0 1 0 -3gms 0 1 0 -3q3j 0 1
    0 -3gma 0 1 0 -3gm9 0 1 0 -3gm0 0 1 0 -3gkw 0 1 0 -s4b 0 1 0 -3gkz 0 1 0 -3gjg 0 1 0 -3ghj 0 1
    0 -3gfi 0 1 0 -3gjd 0 1 0 -3gf4 0 1 0 -3gdz 0 1 0 -3gaw 0 1 0 -3gi5 0 1 0 -3gev 0 1 0 -3geu 0
    1 0 -3gef 0 1 0 -rxq 0 1 0 -rp6 0 1 0 -rtd 0 1 0 -3ssc 0 1 0 -3g6v 0 1 0 -3g6u 0 1 0 -3g5w 0 1
    0 -qg1 0 1 0 -3g3s 0 1 0 -rcx 0 1 0 -3sr5 0 1 0 -3sr2 0 1 0 -r9b 0 1 0 -r1b 0 1 0 -3sqv 0 1 0
    -3fxf 0 1 0 -3fx4 0 1 0 -3fwu 0 1 0 -3fwt 0 1 0 -3fv2 0 1 0 -3fw0 0 1 0 -3fsb 0 1 0 -3ftk 0 1
    0 -3fpe 0 1 0 -3fro 0 1 0 -3fpu 0 1 0 -3fp4 0 1 0 -3so8 0 1 0 -3fmn 0 1 0 -3fls 0 1 0 -3snd 0
    1 0 -3fj7 0 1 0 -3fj5 0 1 0 -py6 0 1 0 -3ffz 0 1 0 -3fft 0 1 0 -3slv 0 1 0 -3ff3 0 1 0 -3w27 0
    1 0 -pi5 0 1 0 -pd2 0 1 0 -3si7 0 1 0 -3shz 0 1 0 -3f3j 0 1 0 -3f1f 0 1 0 -3ex3 0 1 0 -3erh 0
    1 0 -oq3 0 1 0 -3ep5 0 1 0 -3eok 0 1 0 -3em3 0 1 0 -3ejk 0 1 0 -o89 0 1 0 -1brp 0 1 0 -3ehb 0
    1 0 -3ehr 0 1 0 -3egc 0 1 0 -1blr 0 1 0 -3ea2 0 1 0 -3e7b 0 1 0 -mxa 0 1 0 -mwk 0 1 0 -3dxq 0
    1 0 -3dv6 0 1 0 -3dub 0 1 0 -mnr 0 1 0 -3du3 0 1 0 -3dm7 0 1 0 -3dht 0 1 0 -3dht 0 1 0 -3dke 0
    1 0 -3d9u 0 1 0 -3d93 0 1 0 -lpv 0 1 0 -3cyr 0 1 0 -3ryy 0 1 0 -3cxl 0 1 0 -lfe 0 1 0 -3rws 0
    1 0 -3cq8 0 1 0 -3o02 0 1 0 -3cnm 0 1 0 -koh 0 1 0 -kil 0 1 0 -3rt6 0 1 0 -3rsz 0 1 0 -3cii 0
    1 0 -k4x 0 1 0 -3rre 0 1 0 -k13 0 1 0 -3chf 0 1 0 -3chg 0 1 0 -3cgn 0 1 0 -jt7 0 1 0 -3cbk 0 1
    0 -3ro0 0 1 0 -3c9n 0 1 0 -3c66 0 1 0 -3c5g 0 1 0 -3c3t 0 1 0 -3rju 0 1 0 -iqh 0 1 0 -3bw8 0 1
    0 -3bnv 0 1 0 -3bin 0 1 0 -3rcv 0 1 0 -3rc1 0 1 0 -3bfs 0 1 0 -hmq 0 1 0 -3rbt 0 1 0 -hl9 0 1
    0 -hdx 0 1 0 -hab 0 1 0 -3b6i 0 1 0 -3r9c 0 1 0 -3b4u 0 1 0 -3b4q 0 1 0 -3b4k 0 1 0 -3b4b 0 1
    0 -3b45 0 1 0 -3b35 0 1 0 -gm5 0
    """)
}
