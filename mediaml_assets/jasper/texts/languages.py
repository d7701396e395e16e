"""Language tags in one form: BCP 47 (RFC 5646), which takes two letters where a language has them."""

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_](?:[A-Za-z]{4}|[A-Za-z]{2}|\d{3})){0,2}")

_CODES = """
af=afr am=amh ar=ara az=aze be=bel bg=bul bn=ben bs=bos ca=cat cs=ces,cze cy=cym,wel da=dan de=deu,ger
el=ell,gre en=eng es=spa et=est eu=baq,eus fa=fas,per fi=fin fr=fra,fre ga=gle gl=glg gu=guj ha=hau he=heb
hi=hin hr=hrv ht=hat hu=hun hy=arm,hye id=ind is=ice,isl it=ita ja=jpn ka=geo,kat kk=kaz km=khm kn=kan ko=kor
ku=kur ky=kir la=lat lb=ltz lo=lao lt=lit lv=lav mk=mac,mkd ml=mal mn=mon mr=mar ms=may,msa mt=mlt my=bur,mya
nb=nob ne=nep nl=dut,nld nn=nno no=nor pa=pan pl=pol ps=pus pt=por ro=ron,rum ru=rus si=sin sk=slk,slo sl=slv
so=som sq=alb,sqi sr=srp sv=swe sw=swa ta=tam te=tel th=tha tl=tgl tr=tur uk=ukr ur=urd uz=uzb vi=vie xh=xho
yi=yid yo=yor zh=chi,zho zu=zul
"""
_TWO_OF = {
    three: two for two, _, threes in (one.partition("=") for one in _CODES.split()) for three in threes.split(",")
}
"""ISO 639-2, both its bibliographic and its terminological codes, to ISO 639-1."""
_TWO = frozenset(_TWO_OF.values())


def language_tag(text: str | None) -> str | None:
    """A language as BCP 47 writes it, as `en`, `pt-BR` or `zh-Hans`; None when none is named.

    Args:
        text: such a tag in any case, also with `_` or a code of three letters (ISO 639-2); `und` names none.
    """
    if text is None or not _TAG.fullmatch(text):
        return None
    primary, *others = text.replace("_", "-").lower().split("-")
    if primary in ("und", "mul", "zxx", "mis"):
        return None
    return "-".join([_TWO_OF.get(primary, primary), *(_cased(one) for one in others)])


def known_language(text: str) -> str | None:
    """The tag of a text that names one of the languages that are known here by two letters; None of any other word."""
    found = language_tag(text)
    return found if found is not None and found.partition("-")[0] in _TWO else None


def _cased(part: str) -> str:
    """A script in title case, a region in upper case."""
    return part.title() if len(part) == 4 else part.upper()
