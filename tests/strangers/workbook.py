"""openpyxl reopens the XLSX with as many rows as the JSON has, and no cell is a formula."""
import io
import json
import zipfile

import openpyxl


def check_openpyxl_finds_the_same_requirements(demo):
    with zipfile.ZipFile(demo.ready["pack"]) as pack:
        book = openpyxl.load_workbook(io.BytesIO(pack.read("report.xlsx")))
        report = json.loads(pack.read("report.json"))
    sheet = book["Requirements"]
    assert sheet.max_row - 1 == len(report["requirements"]), (sheet.max_row, len(report["requirements"]))
    header = [cell.value for cell in sheet[1]]
    first = dict(zip(header, [cell.value for cell in sheet[2]]))
    assert first["Id"] == report["requirements"][0]["id"], first


def check_no_cell_is_a_formula(demo):
    with zipfile.ZipFile(demo.ready["pack"]) as pack:
        book = openpyxl.load_workbook(io.BytesIO(pack.read("report.xlsx")))
    formulas = [(s.title, c.coordinate) for s in book for row in s.iter_rows() for c in row if c.data_type == "f"]
    assert not formulas, formulas[:3]
