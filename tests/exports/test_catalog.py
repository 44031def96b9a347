from typing import get_args

from kizuna.config import Export
from kizuna.exports.catalog import EXPORTS


def test_every_export_of_the_config_has_one_entry_and_its_own_file():
    names = [export.name for export in EXPORTS]
    assert sorted(names) == sorted(get_args(Export.model_fields["to"].annotation))
    assert len({export.file_name for export in EXPORTS}) == len(EXPORTS)


def test_every_entry_writes_its_file(tmp_path, build_pack):
    for export in EXPORTS:
        export.write(build_pack("en", listed=3), tmp_path / export.file_name)
        assert (tmp_path / export.file_name).stat().st_size > 1000
